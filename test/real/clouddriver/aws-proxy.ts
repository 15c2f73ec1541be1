import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

/** One AWS call that went through the proxy. */
export interface AwsCall {
  /** Start, in epoch milliseconds. */
  readonly at: number;
  /** First label of the host: `autoscaling`, `ec2`, `elasticloadbalancing`, `monitoring`, `iam` … */
  readonly service: string;
  /** Empty for a global service. */
  readonly region: string;
  readonly action: string;
  /** The form fields of the request, `Action` included. */
  readonly params: Readonly<Record<string, string>>;
}

/** What a rule may do to a call. A status makes the proxy answer itself; moto is not asked. */
export interface AwsFault {
  readonly delayMs?: number;
  readonly status?: number;
  /** Body of the answer; default is an AWS error document with `code`. */
  readonly body?: string;
  /** Error code of the default body. */
  readonly code?: string;
}

/** Decides what happens to a call; nothing means it is passed on. */
export type AwsRule = (call: AwsCall) => AwsFault | undefined;

/** A forward HTTP proxy between Clouddriver and moto, which counts and can disturb AWS calls. */
export interface AwsProxy {
  readonly port: number;
  /** All calls since the start or the last reset, oldest first. */
  calls(): readonly AwsCall[];
  /** The number of calls per `service:Action`. */
  counts(): Record<string, number>;
  /** Forgets the calls. The rule stays. */
  reset(): void;
  /** Sets the rule for the calls to come; `undefined` removes it. */
  rule(fn: AwsRule | undefined): void;
  close(): Promise<void>;
}

const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding"]);

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parseCall(target: URL, message: IncomingMessage, body: Buffer): AwsCall {
  const labels = target.hostname.split(".");
  const service = labels[0] ?? "";
  const region = labels[1] === undefined || labels[1] === "amazonaws" ? "" : labels[1];
  const jsonTarget = message.headers["x-amz-target"];
  const isForm = (message.headers["content-type"] ?? "").includes("x-www-form-urlencoded");
  const params = Object.fromEntries(
    isForm ? new URLSearchParams(body.toString("utf8")) : target.searchParams,
  );
  const action =
    params.Action ?? (typeof jsonTarget === "string" ? (jsonTarget.split(".").at(-1) ?? "") : "");
  return { at: Date.now(), service, region, action, params };
}

function answerFault(response: ServerResponse, status: number, fault: AwsFault): void {
  const code = fault.code ?? (status >= 500 ? "InternalFailure" : "ValidationError");
  const kind = status >= 500 ? "Receiver" : "Sender";
  const error = `<Error><Type>${kind}</Type><Code>${code}</Code><Message>set by the test</Message></Error>`;
  response.writeHead(status, { "content-type": "text/xml" });
  response.end(fault.body ?? `<ErrorResponse>${error}<RequestId>test</RequestId></ErrorResponse>`);
}

function passOn(message: IncomingMessage, body: Buffer, motoPort: number, response: ServerResponse): void {
  const headers = Object.fromEntries(
    Object.entries(message.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
  );
  const upstream = request(
    {
      host: "127.0.0.1",
      port: motoPort,
      agent: false,
      method: message.method ?? "POST",
      // The absolute URI, unchanged: moto picks the service from its host.
      path: message.url ?? "/",
      headers: { ...headers, "content-length": body.length },
    },
    (answer) => {
      const kept = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name));
      response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    },
  );
  upstream.on("error", () => {
    if (!response.headersSent) answerFault(response, 502, {});
    else response.destroy();
  });
  upstream.end(body);
}

/** Starts the proxy on a free port of 127.0.0.1, in front of the moto server on `motoPort`. */
export async function startAwsProxy({ motoPort }: { readonly motoPort: number }): Promise<AwsProxy> {
  let log: AwsCall[] = [];
  let rule: AwsRule | undefined;

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(message);
    if (message.url?.startsWith("/") !== false) {
      // Not a proxy request: Clouddriver takes this port for Front50 as well.
      const isRead = message.method === "GET";
      response.writeHead(isRead ? 200 : 404, { "content-type": "application/json" });
      response.end(isRead ? "[]" : "{}");
      return;
    }
    const call = parseCall(new URL(message.url), message, body);
    log.push(call);
    const fault = rule?.(call);
    if (fault?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (response.destroyed) return;
    if (fault?.status !== undefined) answerFault(response, fault.status, fault);
    else passOn(message, body, motoPort, response);
  };

  const server = createServer((message, response) => {
    handle(message, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  return {
    port: address.port,
    calls: () => [...log],
    counts() {
      const counts: Record<string, number> = {};
      for (const { service, action } of log) {
        const key = `${service}:${action}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
      return counts;
    },
    reset() {
      log = [];
    },
    rule(fn) {
      rule = fn;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
