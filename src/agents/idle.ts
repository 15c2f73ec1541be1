/** What is seen of one agent at a moment. */
export interface AgentSample {
  /** Remaining life of its lock, ms; 0 without one. */
  lifeMs: number;
  /** Start of its last successful run by Clouddriver's clock, ms since the epoch; undefined where none is known. */
  lastStartMs: number | undefined;
}

/** Clouddriver's interval and timeout where nothing else is configured (RedisConfigurationProperties). */
export const STOCK_INTERVAL_MS = 30_000;
export const STOCK_TIMEOUT_MS = 300_000;
/** A lock is read a moment after the clock, and nodes' clocks differ a little. */
const TOLERANCE_MS = 2_000;

/**
 * Whether a lock is surely that of an idle agent, and not of one that runs. `now` is Clouddriver's clock.
 *
 * An idle lock ends at start + interval, so that `sinceStart + life` is the interval. A running agent took its lock, for
 * the timeout, after the start that is known, so that the same sum is more than the timeout. Below that the agent is
 * idle, whatever the interval. Longer intervals are believed only where the known one fits the sum. An agent that never
 * succeeded is idle within the stock interval: a run would have to last nearly the whole timeout. Assumes a timeout of
 * 300 s or more, and of a minute over the interval; `aec polling set` warns of a shorter one.
 */
export function isIdle(
  { lifeMs, lastStartMs }: AgentSample,
  now: number,
  intervalMs: number | undefined,
): boolean {
  if (lifeMs <= 0) return true;
  if (lastStartMs === undefined) return lifeMs <= STOCK_INTERVAL_MS + TOLERANCE_MS / 2;
  const sum = now - lastStartMs + lifeMs;
  if (now >= lastStartMs && sum < STOCK_TIMEOUT_MS - TOLERANCE_MS) return true;
  return (
    intervalMs !== undefined &&
    intervalMs >= STOCK_TIMEOUT_MS - TOLERANCE_MS &&
    Math.abs(sum - intervalMs) <= TOLERANCE_MS
  );
}

/** So many agents have to show an interval before it is believed. */
const SAMPLES = 5;

/** The interval that most agents show, idle or not; undefined for too few. A run shows more than the timeout, and few run. */
export function usualInterval(samples: readonly AgentSample[], now: number): number | undefined {
  const sums = samples
    .flatMap(({ lifeMs, lastStartMs }) =>
      lifeMs > 0 && lastStartMs !== undefined ? [now - lastStartMs + lifeMs] : [],
    )
    .toSorted((a, b) => a - b);
  return sums.length < SAMPLES ? undefined : sums[Math.floor((sums.length - 1) / 2)];
}
