import type { Clock } from "../clock.ts";
import type { Clouddriver } from "../clouddriver/client.ts";

const POLL_MS = 1_000;

/**
 * Watches introspection for a time and tells each agent's real interval, ms: the median of the times between the starts
 * that were seen. Agents that were not seen to start twice are absent.
 */
export async function observeIntervals(
  { executions }: Pick<Clouddriver, "executions">,
  clock: Clock,
  signal: AbortSignal,
  forMs: number,
): Promise<Map<string, number>> {
  const starts = new Map<string, Set<number>>();
  for (const end = clock.now() + forMs; ; ) {
    for (const [agent, { lastExecutionStartMs }] of (await executions()).byAgent) {
      const seen = starts.get(agent) ?? new Set();
      starts.set(agent, seen.add(lastExecutionStartMs));
    }
    if (clock.now() >= end) break;
    await clock.sleep(POLL_MS, signal);
  }
  return new Map(
    [...starts].flatMap(([agent, seen]) => {
      const interval = medianGap([...seen].toSorted((a, b) => a - b));
      return interval === undefined ? [] : [[agent, interval] as const];
    }),
  );
}

function medianGap(times: readonly number[]): number | undefined {
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return gaps.toSorted((a, b) => a - b)[Math.floor((gaps.length - 1) / 2)];
}
