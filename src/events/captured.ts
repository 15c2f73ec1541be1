import { fields } from "./fields.ts";

/**
 * Message bodies in a captured text: one JSON document, a list of them, one per line, or what wraps them: the answer of
 * `aws sqs receive-message`, and the event that a queue gives to a function. What is no JSON is one body as it stands,
 * so that it can be told what is wrong with it.
 */
export function capturedBodies(text: string): string[] {
  const whole = parse(text);
  if (whole !== undefined) return unwrap(whole);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.every((line) => parse(line) !== undefined)
    ? lines.flatMap((line) => unwrap(parse(line)))
    : [text];
}

function unwrap(document: unknown): string[] {
  if (Array.isArray(document)) return document.flatMap(unwrap);
  const { Messages, Records } = fields(document) ?? {};
  const wrapped = Array.isArray(Messages) ? Messages : Array.isArray(Records) ? Records : undefined;
  const bodies = wrapped?.flatMap((one) => {
    const { Body, body } = fields(one) ?? {};
    return typeof Body === "string" ? Body : typeof body === "string" ? body : [];
  });
  return bodies ?? [typeof document === "string" ? document : JSON.stringify(document)];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
