import type { Context } from "../context.ts";
import { EXIT, ExpectedError, failure, messageOf } from "../errors.ts";

/** A JSON answer of Clouddriver. */
export interface Answer<T> {
  status: number;
  body: T;
  /** Clouddriver's own clock at the answer, ms since the epoch: the end of the second that its Date header names. */
  serverTime: number | undefined;
}

const REQUEST_TIMEOUT_MS = 15_000;

/**
 * One request to Clouddriver. Resolves for any JSON answer below 500, throws for no answer (exit 1), none in time
 * (exit 8), a server error, and anything that is not JSON: a login page with status 200, say.
 */
export async function request<T>(
  context: Context,
  base: string,
  path: string,
  init: { method?: "GET" | "POST"; body?: unknown } = {},
): Promise<Answer<T>> {
  const url = new URL(path.replace(/^\//, ""), base.endsWith("/") ? base : `${base}/`);
  const login = url.username
    ? Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`)
    : undefined;
  url.username = "";
  url.password = "";
  const user = context.settings.spinnakerUser.value;
  const bound = Math.min(context.timeout(REQUEST_TIMEOUT_MS), REQUEST_TIMEOUT_MS);
  const what = `${init.method ?? "GET"} ${url.origin}${url.pathname}`;
  let response: Response;
  let text: string;
  // AbortSignal.timeout would keep each request, with its answer, until its time is over.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("no answer in time", "TimeoutError")), bound);
  try {
    response = await context.fetch(url, {
      method: init.method ?? "GET",
      redirect: "manual",
      signal: AbortSignal.any([context.world.signal, late.signal]),
      headers: {
        accept: "application/json",
        ...(init.body !== undefined && { "content-type": "application/json" }),
        ...(user && { "x-spinnaker-user": user }),
        ...(login && { authorization: `Basic ${login.toString("base64")}` }),
      },
      ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
    });
    text = await response.text();
  } catch (cause) {
    if (context.world.signal.aborted) throw cause;
    if (cause instanceof DOMException && cause.name === "TimeoutError") {
      throw new ExpectedError(
        EXIT.timeout,
        "clouddriver-timeout",
        `Clouddriver did not answer ${what} in ${bound / 1_000} s`,
        {
          hint: "is it starting, or overloaded? look at its /health",
          cause,
        },
      );
    }
    throw failure("clouddriver-unreachable", `Clouddriver cannot be reached at ${url.origin}`, {
      detail: reason(cause),
      hint: "check --clouddriver-url; from a laptop: kubectl port-forward svc/spin-clouddriver 7002",
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
  if (response.status >= 500) {
    throw failure("clouddriver-failed", `Clouddriver answered ${what} with ${response.status}`, {
      detail: excerpt(text),
      hint: "its log tells why",
    });
  }
  const body = parseJson(text, init.method === "POST");
  if (body === undefined || (response.status >= 300 && response.status < 400)) {
    throw notClouddriver(`${what} did not answer JSON (status ${response.status})`, excerpt(text));
  }
  const date = Date.parse(response.headers.get("date") ?? "");
  return {
    status: response.status,
    body: body as T,
    serverTime: Number.isNaN(date) ? undefined : date + 1_000,
  };
}

/** Clouddriver (or what stands before it) does not let this be read. */
export function refused(what: string, status: number, detail: string): ExpectedError {
  if (status === 401 || status === 403) {
    return new ExpectedError(
      EXIT.credentials,
      "clouddriver-denied",
      `Clouddriver does not let ${what} be read (${status})`,
      {
        detail,
        hint: "with Fiat on, name a user who may: --spinnaker-user",
      },
    );
  }
  return failure("clouddriver-refused", `Clouddriver answered ${what} with ${status}`, { detail });
}

/** What answers is something else: a proxy, a login page, another service. */
export function notClouddriver(message: string, detail: string): ExpectedError {
  return failure("not-clouddriver", message, {
    detail,
    hint: "--clouddriver-url has to name Clouddriver itself (port 7002), not Gate, Deck or a login page",
  });
}

function parseJson(text: string, mayBeEmpty: boolean): unknown {
  // Clouddriver answers a malformed POST with an empty body.
  if (text === "" && mayBeEmpty) return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return messageOf(inner);
}

function excerpt(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 200);
}
