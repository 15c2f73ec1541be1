import { once } from "node:events";
import { connect } from "node:net";
import { freePort, type ServerProcess, spawnServer, waitUntil } from "./process.ts";

/** A private Redis server without persistence. */
export interface Redis {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Ends it and starts an empty one on the same port. */
  restart(): Promise<void>;
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(1_000, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString("latin1").startsWith("+PONG");
  } finally {
    socket.destroy();
  }
}

async function launch(port: number): Promise<ServerProcess> {
  const server = await spawnServer("redis-server", [
    ...["--port", String(port), "--bind", "127.0.0.1"],
    ...["--save", "", "--appendonly", "no"],
  ]);
  await waitUntil("redis-server", server, 10_000, () => answersPing(port), 20);
  return server;
}

/** Starts `redis-server` on a free port of 127.0.0.1. */
export async function startRedis(): Promise<Redis> {
  const port = await freePort();
  let server = await launch(port);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: () => server.stop(),
    kill: () => server.kill(),
    async restart() {
      await server.kill();
      server = await launch(port);
    },
  };
}
