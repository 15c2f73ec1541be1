import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { failure, messageOf, usageError } from "../../errors.ts";

/** SNS opens a handful; whatever comes beyond is turned away. */
const MAX_CONNECTIONS = 512;

export interface ListenAddress {
  host: string;
  port: number;
}

/** `HOST:PORT`, `[::1]:PORT` or `:PORT` (loopback); port 0 picks a free one. */
export function parseListen(text: string, flag: string): ListenAddress {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw usageError("bad-listen", `${flag}: "${text}" is not HOST:PORT`, { hint: "such as 0.0.0.0:7010" });
  }
  return { host: bracketed ?? (plain || "127.0.0.1"), port: Number(port) };
}

export interface TlsFiles {
  cert: string;
  key: string;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Starts listening; resolves with the base URL it is bound to. Throws when the port is taken or not allowed. */
export async function listen(
  address: ListenAddress,
  handler: Handler,
  tls?: TlsFiles | undefined,
): Promise<{ server: Server; url: string }> {
  const limits = {
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 60_000,
    connectionsCheckingInterval: 1_000,
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    handler(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  };
  const server = tls
    ? tlsServer({ ...limits, handshakeTimeout: 5_000 }, tls, onRequest)
    : createServer(limits, onRequest);
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(explain(cause, address)));
    server.listen(address.port, address.host, resolve);
  });
  const { port, address: bound, family } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${bound}]` : bound;
  return { server, url: `${tls ? "https" : "http"}://${host}:${port}` };
}

function tlsServer(limits: object, { cert, key }: TlsFiles, onRequest: RequestListener): Server {
  const files = { cert: readTls(cert), key: readTls(key) };
  try {
    return createTlsServer({ ...limits, ...files }, onRequest);
  } catch (cause) {
    throw usageError("bad-tls-file", `${cert} and ${key} are no certificate and key: ${messageOf(cause)}`, {
      hint: "both have to be PEM, and belong together",
      cause,
    });
  }
}

function readTls(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw usageError("bad-tls-file", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function explain(cause: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: "something listens there already; choose another --listen or --admin-listen",
    EACCES: "ports below 1024 need privileges; choose another --listen",
    EADDRNOTAVAIL: "this machine has no such address; 0.0.0.0 is all of them",
  };
  return failure("cannot-listen", `cannot listen on ${host}:${port}: ${cause.message}`, {
    hint: hints[cause.code ?? ""],
    cause,
  });
}
