import { createHash, timingSafeEqual } from "node:crypto";
import type { Handler } from "./listener.ts";

export interface Admin {
  /** Empty when ready, else what is missing. */
  missing(): Promise<string[]>;
  status(): Promise<object>;
  fate(messageId: string): object | undefined;
  /** Undefined: the guarded paths are closed. */
  token: string | undefined;
}

/** Health for the orchestrator; with the bearer token, status and the fate of single messages. */
export function adminHandler(admin: Admin): Handler {
  return async (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(`${JSON.stringify(body)}\n`);
    };
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (request.method !== "GET") return answer(405, { error: "GET only" });
    if (pathname === "/healthz") return answer(200, { status: "ok" });
    if (pathname === "/readyz") {
      const missing = await admin.missing();
      return answer(missing.length === 0 ? 200 : 503, { ready: missing.length === 0, missing });
    }
    const event = /^\/events\/([0-9a-f-]{36})$/i.exec(pathname)?.[1];
    if (pathname !== "/status" && event === undefined) return answer(404, { error: "not here" });
    if (admin.token === undefined)
      return answer(403, { error: "closed: start aec serve with AEC_SERVE_TOKEN" });
    if (!sameToken(request.headers.authorization, admin.token)) return answer(401, { error: "wrong token" });
    if (event === undefined) return answer(200, await admin.status());
    const fate = admin.fate(event);
    return fate ? answer(200, fate) : answer(404, { error: "no such message seen" });
  };
}

/** Compared by digest, so that neither content nor length can be told by time. */
function sameToken(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}
