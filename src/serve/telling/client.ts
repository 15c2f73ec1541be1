import type { Context } from "../../context.ts";
import { EXIT, ExpectedError, failure, messageOf, usageError } from "../../errors.ts";

const TIMEOUT_MS = 10_000;

interface Question {
  method?: "GET" | "PUT" | "DELETE";
  body?: object;
}

/** Asks the admin listener of a running `aec serve`; undefined for what it has not seen. */
export async function askServe(
  context: Context,
  path: string,
  { method = "GET", body }: Question = {},
): Promise<Record<string, unknown> | undefined> {
  const { serve, serveToken } = context.settings;
  if (serve.value === undefined) {
    throw usageError("no-serve", "live polling is kept by a running aec serve, and none is named", {
      hint: "start one: aec serve --lock-store redis://HOST:6379 (with AEC_SERVE_TOKEN), then add --serve-url",
    });
  }
  if (!URL.canParse(serve.value)) {
    throw usageError("bad-serve-url", `"${serve.value}" (${serve.origin}) is not a URL`, {
      hint: "aec serve prints its admin address when it is ready",
    });
  }
  const url = new URL(path, serve.value);
  const token = serveToken.value;
  let response: Response;
  try {
    response = await context.fetch(url, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.any([context.world.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch (cause) {
    throw failure("serve-unreachable", `aec serve does not answer at ${url.origin}`, {
      detail: messageOf(cause instanceof Error ? (cause.cause ?? cause) : cause),
      hint: "is it running, and is --serve-url its admin address (--admin-listen)?",
      cause,
    });
  }
  const text = await response.text();
  if (response.status === 404 && text.includes("no such message")) return undefined;
  if (response.status === 401 || response.status === 403) {
    throw new ExpectedError(
      EXIT.credentials,
      "serve-denied",
      `aec serve at ${url.origin} refuses: ${text.trim()}`,
      {
        hint: text.includes("closed:")
          ? "start it with AEC_SERVE_TOKEN=SECRET in its environment, and export the same here"
          : "export the AEC_SERVE_TOKEN that it was started with",
      },
    );
  }
  if (response.status === 409 || response.status === 400) {
    throw failure("serve-refused", `aec serve at ${url.origin} refuses: ${text.trim()}`, {
      hint: "start it with --lock-store, the redis.connection of Clouddriver",
    });
  }
  try {
    if (response.ok) return JSON.parse(text) as Record<string, unknown>;
  } catch {}
  throw failure("not-serve", `${url.origin} answered ${response.status}, and not as aec serve does`, {
    hint: "is --serve-url the admin address that aec serve printed?",
  });
}
