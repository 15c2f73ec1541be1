import { appendFileSync } from "node:fs";
import { failure, messageOf } from "../../errors.ts";
import { fields, parseJson } from "../../events/fields.ts";
import { hideSecrets } from "../../secrets.ts";
import type { Settled } from "../watcher.ts";

/** Names of fields whose values are nobody's business; `token` is what confirms a subscription. */
const SECRET =
  /password|passwd|secret|token|credential|(private|api|access).?key|user.?data|environment|parametervalue|outputvalue|authorization/i;
const SECRET_URLS = new Set(["SubscribeURL", "UnsubscribeURL"]);
const HIDDEN = "***";

/** Appends each settled message as one line of JSON. Throws where the file cannot be written, at the start already. */
export function createRecording(path: string): (message: Settled) => void {
  const append = (text: string) => {
    try {
      appendFileSync(path, text, { mode: 0o600 });
    } catch (cause) {
      throw failure("unwritable", `cannot write to ${path}: ${messageOf(cause)}`, { cause });
    }
  };
  append("");
  return ({ id, body, via, fate }) => {
    const { outcome, reason, receivedAt = 0, settledAt = 0, work } = fate;
    const line = {
      id,
      via,
      receivedAt: new Date(receivedAt).toISOString(),
      settledAt: new Date(settledAt).toISOString(),
      outcome,
      reason: hideSecrets(reason),
      ...(work && { work }),
      body: withoutSecrets(body),
    };
    append(`${JSON.stringify(line)}\n`);
  };
}

/** The body as it came where it holds no secret, so that its signature can still be checked. */
export function withoutSecrets(body: string): string {
  const document = parseJson(body);
  if (document === undefined) return hideSecrets(body);
  const found = { any: false };
  const scrubbed = scrub(document, found);
  return found.any ? JSON.stringify(scrubbed) : body;
}

function scrub(value: unknown, found: { any: boolean }): unknown {
  if (Array.isArray(value)) return value.map((one) => scrub(one, found));
  if (typeof value === "string") return scrubText(value, found);
  const object = fields(value);
  if (!object) return value;
  return Object.fromEntries(
    Object.entries(object).map(([key, inner]) => {
      if (inner === null || !(SECRET.test(key) || SECRET_URLS.has(key))) return [key, scrub(inner, found)];
      found.any = true;
      return [key, HIDDEN];
    }),
  );
}

/** Documents within texts: the Message of an envelope, the configuration of an item. */
function scrubText(text: string, found: { any: boolean }): string {
  if (text.startsWith("{") || text.startsWith("[")) {
    const inner = withoutSecrets(text);
    if (inner !== text) found.any = true;
    return inner;
  }
  const hidden = hideSecrets(text);
  if (hidden !== text) found.any = true;
  return hidden;
}
