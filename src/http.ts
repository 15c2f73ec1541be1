import type { Context } from "./context.ts";
import { EXIT, ExpectedError, failure, messageOf } from "./errors.ts";

/** A service of Spinnaker, as errors name it. */
export interface Service {
  name: "Clouddriver" | "Gate";
  /** Begins the codes of its errors. */
  code: "clouddriver" | "gate";
  /** What to check where it cannot be reached. */
  reach: string;
  /** What to check where something else answers. */
  identity: string;
  /** What to do where it refuses: 401 and 403. */
  login: string;
  /** It redirects whoever has not logged in. */
  hasLogin?: true;
  headers?: Readonly<Record<string, string>>;
  /** Default: the context's; another one where a client certificate or an own CA is wanted. */
  fetch?: typeof fetch;
}

/** A JSON answer of a service. */
export interface Answer<T> {
  status: number;
  body: T;
  /** The service's own clock at the answer, ms since the epoch: the end of the second that its Date header names. */
  serverTime: number | undefined;
}

interface Init {
  method?: "GET" | "POST";
  body?: unknown;
}

const READ_TIMEOUT_MS = 15_000;
/** Agents run within a POST; Gate's proxy gives them about as much. */
const POST_TIMEOUT_MS = 60_000;
/** Pauses before a reading request is sent again, each lengthened by chance by up to as much. */
const RETRY_PAUSES_MS = [200, 600];

/**
 * One request. Resolves for any JSON answer below 500, throws for no answer (exit 1), none in time (exit 8), a server
 * error, and anything that is not JSON: a login page with status 200, say. Redirects are not followed. What only reads
 * is tried three times where nobody answers or a proxy says that nobody does.
 */
export async function requestJson<T>(
  context: Context,
  service: Service,
  base: string,
  path: string,
  init: Init = {},
): Promise<Answer<T>> {
  const { clock, signal } = context.world;
  const pauses = init.method === "POST" ? [] : RETRY_PAUSES_MS;
  for (const pause of pauses) {
    try {
      return await attempt<T>(context, service, base, path, init);
    } catch (error) {
      if (!(error instanceof ExpectedError) || !RETRIED.has(error.code.replace(service.code, "")))
        throw error;
      await clock.sleep(pause * (1 + Math.random()), signal);
    }
  }
  return attempt<T>(context, service, base, path, init);
}

/** Ends of codes. */
const RETRIED = new Set(["-unreachable", "-unavailable"]);
/** A gateway in front says that it reaches no service. */
const UNAVAILABLE = [502, 503, 504];

async function attempt<T>(
  context: Context,
  service: Service,
  base: string,
  path: string,
  init: Init,
): Promise<Answer<T>> {
  const { name, code } = service;
  const url = new URL(path.replace(/^\//, ""), base.endsWith("/") ? base : `${base}/`);
  const login = url.username
    ? Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`)
    : undefined;
  url.username = "";
  url.password = "";
  const user = context.settings.spinnakerUser.value;
  const bound =
    init.method === "POST"
      ? context.timeout(POST_TIMEOUT_MS)
      : Math.min(context.timeout(READ_TIMEOUT_MS), READ_TIMEOUT_MS);
  const what = `${init.method ?? "GET"} ${url.origin}${url.pathname}`;
  let response: Response;
  let text: string;
  // AbortSignal.timeout would keep each request, with its answer, until its time is over.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("no answer in time", "TimeoutError")), bound);
  try {
    response = await (service.fetch ?? context.fetch)(url, {
      method: init.method ?? "GET",
      redirect: "manual",
      signal: AbortSignal.any([context.world.signal, late.signal]),
      headers: {
        accept: "application/json",
        ...(init.body !== undefined && { "content-type": "application/json" }),
        ...(user && { "x-spinnaker-user": user }),
        ...(login && { authorization: `Basic ${login.toString("base64")}` }),
        ...service.headers,
      },
      ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
    });
    text = await response.text();
  } catch (cause) {
    if (context.world.signal.aborted) throw cause;
    if (late.signal.aborted) {
      throw new ExpectedError(
        EXIT.timeout,
        `${code}-timeout`,
        `${name} did not answer ${what} in ${bound / 1_000} s`,
        { hint: "is it starting, or overloaded? look at its /health", cause },
      );
    }
    throw failure(`${code}-unreachable`, `${name} cannot be reached at ${url.origin}`, {
      detail: reason(cause),
      hint: service.reach,
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
  if (response.status >= 500) {
    const kind = UNAVAILABLE.includes(response.status) ? "unavailable" : "failed";
    throw failure(`${code}-${kind}`, `${name} answered ${what} with ${response.status}`, {
      detail: excerpt(text),
      hint: "its log tells why",
    });
  }
  const redirected = response.status >= 300 && response.status < 400;
  if (redirected && service.hasLogin) {
    const message = `${name} wants a login: it redirects ${what} (status ${response.status})`;
    const detail = response.headers.get("location") ?? "";
    throw new ExpectedError(EXIT.credentials, `${code}-login`, message, { detail, hint: service.login });
  }
  const body = parseJson(text, init.method === "POST");
  if (body === undefined || redirected)
    throw notThisService(service, `${what} did not answer JSON (status ${response.status})`, excerpt(text));
  const date = Date.parse(response.headers.get("date") ?? "");
  return {
    status: response.status,
    body: body as T,
    serverTime: Number.isNaN(date) ? undefined : date + 1_000,
  };
}

/** The service, or what stands before it, answers with an error that means what it says. */
export function refused(
  { name, code, login }: Service,
  what: string,
  answer: Answer<unknown>,
): ExpectedError {
  const { status } = answer;
  const detail = (JSON.stringify(answer.body) ?? "").slice(0, 200);
  if (status === 401 || status === 403) {
    return new ExpectedError(
      EXIT.credentials,
      `${code}-denied`,
      `${name} does not let ${what} be read (${status})`,
      { detail, hint: login },
    );
  }
  return failure(`${code}-refused`, `${name} answered ${what} with ${status}`, { detail });
}

/** What answers is something else: a proxy, a login page, another service. */
export function notThisService({ code, identity }: Service, message: string, detail: string): ExpectedError {
  return failure(`not-${code}`, message, { detail, hint: identity });
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
