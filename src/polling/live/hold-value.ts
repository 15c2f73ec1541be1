import { randomUUID } from "node:crypto";
import { HOLD_PREFIX } from "../../agents/stores/store.ts";

/** A lock's value that says whose hold it is, and is of one process alone. */
export function holdValue(owner: string): string {
  return `${HOLD_PREFIX}${JSON.stringify({ owner, id: randomUUID() })}`;
}

/** Whose hold a lock's value is; of one that says nothing, all that follows the prefix. Undefined for a node's. */
export function ownerOf(value: string): string | undefined {
  if (!value.startsWith(HOLD_PREFIX)) return undefined;
  const text = value.slice(HOLD_PREFIX.length);
  try {
    const { owner } = JSON.parse(text) as { owner?: unknown };
    return typeof owner === "string" ? owner : text;
  } catch {
    return text;
  }
}
