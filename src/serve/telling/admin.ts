import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { messageOf } from "../../errors.ts";
import type { Keeper } from "../../polling/live/keeper.ts";
import { askedWishSchema } from "../../polling/live/wishes.ts";
import type { Handler } from "../receiving/listener.ts";
import { BadRequest, type RefreshRequests } from "../running/refresh-requests.ts";
import type { Metrics } from "./metrics.ts";
import type { Status } from "./status.ts";
import { statusPage } from "./status-page.ts";

export interface Admin {
  /** Empty when ready, else what is missing. */
  missing(): Promise<string[]>;
  status(): Promise<Status>;
  fate(messageId: string): object | undefined;
  metrics: Pick<Metrics, "expose" | "contentType">;
  refreshes: RefreshRequests;
  /** Undefined: no lock store, nothing to keep. */
  keeper: Keeper | undefined;
  /** Undefined: the guarded paths are closed. */
  token: string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
}

const METHODS: Readonly<Record<string, readonly string[]>> = {
  "/polling": ["GET", "PUT", "DELETE"],
  "/refresh": ["POST"],
};

interface Reply {
  status: number;
  body: object;
}

/** The page needs nothing but itself. */
const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

const MAX_BODY_BYTES = 64 * 1_024;
const NO_KEEPER: Reply = {
  status: 409,
  body: { error: "this aec serve has no lock store, so that it cannot hold agents" },
};

/** Health for the orchestrator; with the bearer token, status, the fate of single messages, and live polling. */
export function adminHandler(admin: Admin): Handler {
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/metrics" && request.method === "GET") {
      response.writeHead(200, { "content-type": admin.metrics.contentType });
      response.end(await admin.metrics.expose());
      return;
    }
    const asPage = wantsPage(request, pathname);
    const { status, body } = await reply(request, admin, asPage);
    if (asPage && status === 401) response.setHeader("www-authenticate", 'Basic realm="aec serve"');
    if (asPage && status === 200) {
      response.writeHead(200, PAGE_HEADERS);
      response.end(statusPage(body as Status, admin.now()));
      return;
    }
    response.writeHead(status, { "content-type": "application/json" });
    response.end(`${JSON.stringify(body)}\n`);
  };
}

/** A browser asks for the status. */
function wantsPage({ method, headers }: IncomingMessage, pathname: string): boolean {
  return pathname === "/status" && method === "GET" && (headers.accept ?? "").includes("text/html");
}

async function reply(request: IncomingMessage, admin: Admin, asPage: boolean): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const polling = pathname === "/polling";
  const methods = METHODS[pathname] ?? ["GET"];
  const method = request.method ?? "";
  if (!methods.includes(method)) return { status: 405, body: { error: `${methods.join(", ")} only` } };
  if (pathname === "/healthz") return { status: 200, body: { status: "ok" } };
  if (pathname === "/readyz") {
    const missing = await admin.missing();
    return { status: missing.length === 0 ? 200 : 503, body: { ready: missing.length === 0, missing } };
  }
  const event = /^\/events\/([0-9a-f-]{36})$/i.exec(pathname)?.[1];
  const refresh = /^\/refresh(?:\/([0-9a-f-]{36}))?$/.exec(pathname);
  if (pathname !== "/status" && !polling && event === undefined && !refresh)
    return { status: 404, body: { error: "not here" } };
  if (admin.token === undefined)
    return { status: 403, body: { error: "closed: start aec serve with AEC_SERVE_TOKEN" } };
  if (!sameToken(bearerOf(request.headers.authorization, asPage), admin.token))
    return { status: 401, body: { error: "wrong token" } };
  if (polling) return livePolling(request, method, searchParams.get("agents") ?? undefined, admin);
  if (refresh) return refreshNow(request, refresh[1], admin);
  if (event === undefined) return { status: 200, body: await admin.status() };
  const fate = admin.fate(event);
  return fate ? { status: 200, body: fate } : { status: 404, body: { error: "no such message seen" } };
}

/** POST refreshes and waits for a while; GET tells how far it is. The `url` is as the asker reached us. */
async function refreshNow(
  request: IncomingMessage,
  id: string | undefined,
  { refreshes }: Admin,
): Promise<Reply> {
  const { host = "localhost" } = request.headers;
  try {
    const found =
      id === undefined ? await refreshes.start(await readJson(request)) : await refreshes.find(id);
    return found
      ? { status: 200, body: { ...found, url: `http://${host}/refresh/${found.id}` } }
      : { status: 404, body: { error: "no such refresh" } };
  } catch (error) {
    if (error instanceof BadRequest) return { status: 400, body: { error: error.message } };
    return { status: 503, body: { error: messageOf(error) } };
  }
}

/** GET tells, PUT adds a wish, DELETE takes back those for a pattern, or all. */
async function livePolling(
  request: IncomingMessage,
  method: string,
  agents: string | undefined,
  { keeper, now }: Admin,
): Promise<Reply> {
  if (!keeper) return NO_KEEPER;
  if (method === "PUT") {
    const parsed = askedWishSchema.safeParse(await readJson(request));
    if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
    const { forMs, ...wish } = parsed.data;
    await keeper.wish({ ...wish, until: forMs === null ? null : now() + forMs });
  } else if (method === "DELETE") {
    return { status: 200, body: { released: await keeper.release(agents), wishes: keeper.wishes() } };
  }
  return {
    status: 200,
    body: { wishes: keeper.wishes(), held: keeper.held(), persistent: keeper.persistent },
  };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Browsers send what they are asked for as the password of Basic; nothing but the page is given for that. */
function bearerOf(header = "", asPage: boolean): string {
  if (!asPage || !/^Basic /i.test(header)) return header;
  const text = Buffer.from(header.slice("Basic ".length), "base64").toString("utf8");
  return `Bearer ${text.slice(text.indexOf(":") + 1)}`;
}

/** Compared by digest, so that neither content nor length can be told by time. */
function sameToken(header: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header), digest(`Bearer ${token}`));
}
