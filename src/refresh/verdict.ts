import type { CachedState } from "./read-back.ts";

export type Verdict =
  | "refreshed"
  | "unchanged"
  | "evicted"
  | "not-handled"
  | "stale"
  | "throttled"
  | "failed";

/** The verdict of a refresh that is known to have happened, from what the cache showed before and after. */
export function compare(before: CachedState, after: CachedState): { verdict: Verdict; detail: string } {
  if (before.ids && after.ids) {
    const known = new Set(before.ids);
    const found = new Set(after.ids);
    const come = after.ids.filter((id) => !known.has(id)).length;
    const gone = before.ids.filter((id) => !found.has(id)).length;
    return { verdict: "refreshed", detail: `${found.size} cached, ${come} new, ${gone} gone` };
  }
  if (after.present === undefined)
    return { verdict: "refreshed", detail: "its agent has run; Clouddriver shows nothing to compare" };
  if (before.present && !after.present)
    return { verdict: "evicted", detail: "it is gone from AWS and from the cache" };
  if (!before.present && after.present) return { verdict: "refreshed", detail: "it is in the cache now" };
  if (!before.present) return { verdict: "not-handled", detail: "AWS and the cache have none of that name" };
  if (after.digest === undefined)
    return { verdict: "refreshed", detail: "its agent has run; Clouddriver shows only that it is there" };
  return before.digest === after.digest
    ? { verdict: "unchanged", detail: "the cache had it right" }
    : { verdict: "refreshed", detail: "the cache shows a newer state" };
}

const GOOD: readonly Verdict[] = ["refreshed", "unchanged", "evicted"];

/** Whether the item is as fresh as AWS now. */
export function isGood(verdict: Verdict): boolean {
  return GOOD.includes(verdict);
}

/** Exit code of many results: all good → 0, some → 5, none → 1, all refused → 4, only stale → 8. */
export function exitOf(results: readonly { verdict: Verdict; error?: string }[]): number {
  const good = results.filter(({ verdict }) => isGood(verdict)).length;
  if (good === results.length) return 0;
  if (good > 0) return 5;
  if (results.every(({ error }) => isRefusal(error))) return 4;
  return results.every(({ verdict }) => verdict === "stale") ? 8 : 1;
}

/** Whether an error's code is one of credentials or permission. */
export function isRefusal(code: string | undefined): boolean {
  return code !== undefined && /-(denied|login|no-credentials|bad-credentials)$/.test(code);
}
