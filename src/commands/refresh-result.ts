import { typeName } from "../agents/kinds.ts";
import { formatDuration } from "../duration.ts";
import type { CommandResult } from "../output/output.ts";
import { table } from "../output/table.ts";
import type { ItemResult } from "../refresh/refresh.ts";
import { exitOf, isGood, type Verdict } from "../refresh/verdict.ts";

/** What `aec refresh` hands back: a row for each item, and how many have which verdict. */
export function refreshResult(items: readonly ItemResult[]): CommandResult {
  return {
    data: { items, summary: count(items.map(({ verdict }) => verdict)) },
    exit: exitOf(items),
    text: (paint) =>
      table(
        ["VERDICT", "TYPE", "ACCOUNT", "REGION", "NAME", "VIA", "TOOK", "DETAIL"],
        items.map(({ verdict, type, account, region, name, via, durationMs, detail }) => [
          (isGood(verdict) ? paint.green : paint.yellow)(verdict),
          typeName(type),
          account,
          region,
          name,
          via,
          formatDuration(durationMs),
          detail,
        ]),
      ),
  };
}

function count(verdicts: readonly Verdict[]): Record<string, number> {
  const summary: Record<string, number> = {};
  for (const verdict of verdicts) summary[verdict] = (summary[verdict] ?? 0) + 1;
  return summary;
}
