import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../clock.ts";
import type { Route } from "./routes.ts";

/** How the next requests are answered: a page that is no JSON, a 500, never, or a broken connection. */
export interface FaultRule {
  answer: "html" | "error" | "hang" | "refuse";
  /** Only so many requests. */
  times?: number;
  /** Only requests whose path matches. */
  path?: RegExp;
}

/** Clouddriver's HTTP side. */
export interface Web {
  port: number;
  fault(rule: FaultRule | undefined): void;
  close(): Promise<void>;
}

/** Serves `route` on a free port of 127.0.0.1. */
export async function startWeb(clock: Clock, route: Route): Promise<Web> {
  let rule: FaultRule | undefined;
  let left = 0;

  const faultFor = (path: string) => {
    if (!rule || left <= 0 || rule.path?.test(path) === false) return undefined;
    left -= 1;
    return rule.answer;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://clouddriver");
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const fault = faultFor(pathname);
    if (fault === "hang") return;
    if (fault === "refuse") return void request.socket.destroy();
    // Clouddriver's time, not the machine's.
    response.setHeader("Date", new Date(clock.now()).toUTCString());
    if (fault === "html") {
      response.setHeader("Content-Type", "text/html;charset=UTF-8").end("<html><body>Sign in</body></html>");
      return;
    }
    const found =
      fault === "error"
        ? { status: 500, body: { timestamp: clock.now(), status: 500, error: "Internal Server Error" } }
        : route(request.method ?? "GET", pathname, searchParams, body);
    response.statusCode = found.status;
    if (found.body === undefined) response.end();
    else response.setHeader("Content-Type", "application/json;charset=UTF-8").end(JSON.stringify(found.body));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(500).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    fault(next: FaultRule | undefined) {
      rule = next;
      left = next?.times ?? Number.POSITIVE_INFINITY;
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
