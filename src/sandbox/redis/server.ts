import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import Parser from "redis-parser";
import type { Clock } from "../../clock.ts";
import { execute, type Script, type Session, type Shared } from "./commands.ts";
import { createKeyspace, type Keyspace } from "./keyspace.ts";
import { encodeResp } from "./resp.ts";

/** What `startRedis` takes. */
export interface RedisOptions {
  clock: Clock;
  /** Database 0; the other 15 are this server's own. */
  keyspace?: Keyspace;
  /** Asked for by `AUTH` when given. */
  password?: string;
  /** What each Lua script does, by its exact text: no Lua is executed here. */
  scripts?: ReadonlyMap<string, Script>;
}

/** A running RESP server. */
export interface SandboxRedis {
  url: string;
  port: number;
  keyspace: Keyspace;
  /** A lost Redis: closes every connection and stops listening. Data is kept, loaded scripts are not. */
  drop(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a Redis of RESP2 and version 5 (no HELLO) on a free port of 127.0.0.1. */
export async function startRedis(options: RedisOptions): Promise<SandboxRedis> {
  const { clock, password, scripts = new Map(), keyspace = createKeyspace(clock) } = options;
  const databases = new Map([[0, keyspace]]);
  const shared: Shared = {
    clock,
    password,
    scripts,
    loaded: new Map(),
    databases(index) {
      const found = databases.get(index) ?? createKeyspace(clock);
      databases.set(index, found);
      return found;
    },
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
    serve(socket, shared);
  });

  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const drop = async () => {
    shared.loaded.clear();
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  const port = await listen(0);
  const login = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    url: `redis://${login}127.0.0.1:${port}/0`,
    port,
    keyspace,
    drop,
    resume: async () => {
      if (!server.listening) await listen(port);
    },
    close: drop,
  };
}

function serve(socket: Socket, shared: Shared): void {
  const session: Session = { db: 0, authenticated: shared.password === undefined, closing: false };
  const fail = () => socket.end(encodeResp({ error: "ERR Protocol error" }));
  const parser = new Parser({
    returnReply(request) {
      // A request is an array of bulk strings; inline commands are not served.
      if (!isRequest(request)) return fail();
      if (session.closing) return;
      socket.write(encodeResp(execute(shared, session, request)));
      if (session.closing) socket.end();
    },
    returnError: fail,
    returnFatalError: fail,
  });
  socket.on("data", (chunk: Buffer) => parser.execute(chunk));
}

function isRequest(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string");
}
