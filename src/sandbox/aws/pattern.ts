import { asRecord } from "./input.ts";

/**
 * Whether a document matches an event pattern or a body filter: every key has to match, a list names alternatives, a
 * record goes deeper; `exists`, `prefix` and `anything-but` are known (EventBridge user guide, event patterns; SNS
 * developer guide, subscription filter policies).
 */
export function matchesPattern(pattern: unknown, document: unknown): boolean {
  const fields = asRecord(document) ?? {};
  return Object.entries(asRecord(pattern) ?? {}).every(([key, wanted]) => {
    const found = fields[key];
    if (Array.isArray(wanted)) {
      const values = Array.isArray(found) ? found : [found];
      return wanted.some((rule) => values.some((value) => matchesRule(rule, value)));
    }
    return matchesPattern(wanted, found);
  });
}

function matchesRule(rule: unknown, value: unknown): boolean {
  const matcher = asRecord(rule);
  if (!matcher) return rule === value;
  if ("exists" in matcher) return (value !== undefined) === matcher.exists;
  if (typeof matcher.prefix === "string")
    return typeof value === "string" && value.startsWith(matcher.prefix);
  if ("anything-but" in matcher)
    return value !== undefined && ![matcher["anything-but"]].flat().includes(value);
  return false;
}
