import { type Fields, fields, parseJson, timeOf } from "./fields.ts";

/** A message that was kept somewhere. */
export interface Captured {
  body: string;
  /** When `serve` received it, ms since the epoch; 0 where nobody wrote it down. */
  receivedAt: number;
}

/**
 * Messages in a captured text: one JSON document, a list of them, one per line, or what wraps them: the answer of
 * `aws sqs receive-message`, the event that a queue gives to a function, and the lines of `serve --record`. What is no
 * JSON is one body as it stands, so that it can be told what is wrong with it.
 */
export function capturedMessages(text: string): Captured[] {
  const whole = parseJson(text);
  if (whole !== undefined) return unwrap(whole);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  // Of one that is spread over lines no line is an object by itself.
  if (!lines.some((line) => fields(parseJson(line)))) return [{ body: text, receivedAt: 0 }];
  return lines.flatMap((line) => {
    const document = parseJson(line);
    return document === undefined ? [{ body: line, receivedAt: 0 }] : unwrap(document);
  });
}

function unwrap(document: unknown): Captured[] {
  if (Array.isArray(document)) return document.flatMap(unwrap);
  const wrapper = fields(document) ?? {};
  const own = bodyOf(wrapper);
  if (own) return [own];
  const { Messages, Records } = wrapper;
  const wrapped = Array.isArray(Messages) ? Messages : Array.isArray(Records) ? Records : undefined;
  if (wrapped) return wrapped.flatMap((one) => bodyOf(fields(one) ?? {}) ?? []);
  return [{ body: typeof document === "string" ? document : JSON.stringify(document), receivedAt: 0 }];
}

function bodyOf({ Body, body, receivedAt }: Fields): Captured | undefined {
  const found = typeof Body === "string" ? Body : body;
  return typeof found === "string" ? { body: found, receivedAt: timeOf(receivedAt) } : undefined;
}
