import { onlyReads, parseAgent } from "./catalog.ts";
import { STOCK_TIMEOUT_MS } from "./idle.ts";
import { isIdleNow, type Sighting } from "./sighting.ts";

/** A node without a lock that is younger took none for a minute and a half. */
export const SILENT_MS = 90_000;
/** A lock is taken with the life of the agents' timeout, which is so much more than a long interval, at the least. */
const TIMEOUT_MARGIN_MS = 60_000;
/**
 * So many agents for each node have to have been taken by others: one that lives, and has the same chance at each, took
 * none of them less than once in a thousand times.
 */
const TAKEN_BY_OTHERS = 7;

/**
 * Nodes that are most likely gone: they hold locks of runs and not a single idle one, and took none for a while, where
 * another node has idle ones. A node that lives takes locks and finishes runs all the time, and each finished run leaves
 * an idle lock of its own. While holds stand in for idle locks, a node that lives may have none to show: then others have
 * to have taken many agents of its sort since (nodes for another cloud may share the store).
 */
export function deadNodes(sighting: Sighting): Set<string> {
  // An interval that most agents seem to show may be that of a dead node's locks: only a configured one counts here.
  const { locks, executions, now, configuredMs = 0 } = sighting;
  const timeoutMs = Math.max(STOCK_TIMEOUT_MS, configuredMs + TIMEOUT_MARGIN_MS);
  const finishing = new Set<string>();
  const running = new Map<string, { lifeMs: number; sorts: Set<string> }>();
  const takes: { at: number; sort: string }[] = [];
  for (const [agent, { holder, held, lifeMs }] of locks) {
    if (holder === undefined || held) continue;
    const sort = onlyReads(agent) ? "reads AWS" : parseAgent(agent).kind;
    const execution = executions.get(agent);
    // What never succeeded may look idle near the end of a dead node's lock: it proves nothing.
    if (execution && isIdleNow(agent, sighting)) {
      finishing.add(holder);
      takes.push({ at: execution.lastExecutionStartMs, sort });
      continue;
    }
    // One with a longer timeout of its own does not tell when it was taken.
    if (lifeMs > timeoutMs) continue;
    const known = running.get(holder);
    const sorts = (known?.sorts ?? new Set()).add(sort);
    running.set(holder, { lifeMs: Math.max(known?.lifeMs ?? 0, lifeMs), sorts });
  }
  const holds = [...locks.values()].some(({ held }) => held);
  const enough = holds ? TAKEN_BY_OTHERS * new Set([...finishing, ...running.keys()]).size : 1;
  return new Set(
    [...running].flatMap(([node, { lifeMs, sorts }]) => {
      const lastTake = now - (timeoutMs - lifeMs);
      if (finishing.has(node) || now - lastTake <= SILENT_MS) return [];
      const others = takes.filter(({ at, sort }) => !holds || (at > lastTake && sorts.has(sort)));
      return others.length >= enough ? [node] : [];
    }),
  );
}
