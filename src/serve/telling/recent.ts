import type { Clock } from "../../clock.ts";
import { percentile } from "../../percentile.ts";
import type { Fate } from "../receiving/memory.ts";
import type { Settled } from "../watcher.ts";

/** A message about a resource, and how long it took. */
export interface RecentEvent {
  id: string;
  type: string;
  source: string;
  account: string;
  region: string;
  name: string;
  outcome: string;
  reason: string;
  /** ms since the epoch. */
  receivedAt: number;
  /** From receiving it to its fate, ms. */
  tookMs: number;
  /** From AWS's own time of the change to its fate, ms; undefined where AWS told none. */
  changedMs: number | undefined;
}

/** How long events of a type take by a source, from AWS's own time of the change to the cache that shows it, ms. */
export interface Latency {
  type: string;
  source: string;
  events: number;
  p50Ms: number;
  p95Ms: number;
}

const SHOWN = 20;
const KEPT = 500;

/** What became of all messages since `since`, ms since the epoch. */
export interface Outcomes {
  since: number;
  counts: Readonly<Partial<Record<Fate["outcome"], number>>>;
}

/** Remembers the last events of this replica, and what became of all its messages. */
export function createRecent(clock: Clock) {
  const events: RecentEvent[] = [];
  const since = clock.now();
  const counts: Partial<Record<Fate["outcome"], number>> = {};
  return {
    settled({ id, event, fate }: Settled): void {
      counts[fate.outcome] = (counts[fate.outcome] ?? 0) + 1;
      if (!event) return;
      const { receivedAt = 0, settledAt = 0, outcome, reason } = fate;
      events.unshift({
        id,
        type: event.resourceType,
        source: event.source,
        account: event.awsAccountId,
        region: event.region,
        name: event.name,
        outcome,
        reason,
        receivedAt,
        tookMs: settledAt - receivedAt,
        changedMs: event.at > 0 ? Math.max(0, settledAt - event.at) : undefined,
      });
      events.length = Math.min(events.length, KEPT);
    },
    outcomes: (): Outcomes => ({ since, counts }),
    /** The newest first. */
    last: (): readonly RecentEvent[] => events.slice(0, SHOWN),
    latencies(): Latency[] {
      const byKind = new Map<string, { type: string; source: string; times: number[] }>();
      for (const { type, source, outcome, changedMs } of events) {
        if (outcome !== "applied" || changedMs === undefined) continue;
        const kind = byKind.get(`${type}/${source}`) ?? { type, source, times: [] };
        kind.times.push(changedMs);
        byKind.set(`${type}/${source}`, kind);
      }
      return [...byKind.values()].map(({ type, source, times }) => {
        const at = (share: number) => percentile(times, share) ?? 0;
        return { type, source, events: times.length, p50Ms: at(0.5), p95Ms: at(0.95) };
      });
    },
  };
}

export type Recent = ReturnType<typeof createRecent>;
