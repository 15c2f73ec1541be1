/** What is seen of one agent at a moment. */
export interface AgentSample {
  /** Remaining life of its lock, ms; 0 without one. */
  lifeMs: number;
  /** Start of its last successful run by Clouddriver's clock, ms since the epoch; undefined where none is known. */
  lastStartMs: number | undefined;
}

/** Clouddriver's interval and timeout where nothing else is configured (RedisConfigurationProperties). */
const STOCK_INTERVAL_MS = 30_000;
const STOCK_TIMEOUT_MS = 300_000;
/** No site polls more often: so long after a start the next run cannot have begun. */
const SHORTEST_INTERVAL_MS = 10_000;
/** A lock is read a moment after the clock, and nodes' clocks differ a little. */
const TOLERANCE_MS = 2_000;

/**
 * Whether a lock is surely that of an idle agent, and not of one that runs. `now` is Clouddriver's clock.
 *
 * An idle lock ends at start + interval, so that `sinceStart + life` is the interval. A running agent took its lock
 * (for the timeout) at least the shortest interval after the start that is known, so that the same sum is at least
 * timeout + shortest interval. Below that the agent is idle, whatever the interval. Longer intervals are believed only
 * where the configured one fits the sum exactly. An agent that never succeeded is idle within the stock interval: a run
 * would have to last nearly the whole timeout. Assumes a timeout of 300 s or more, and of a minute over the interval;
 * `aec polling set` warns of a shorter one.
 */
export function isIdle(
  { lifeMs, lastStartMs }: AgentSample,
  now: number,
  configuredMs: number | undefined,
): boolean {
  if (lifeMs <= 0) return true;
  if (lastStartMs === undefined) return lifeMs <= STOCK_INTERVAL_MS + TOLERANCE_MS / 2;
  const sum = now - lastStartMs + lifeMs;
  if (now >= lastStartMs && sum < STOCK_TIMEOUT_MS + SHORTEST_INTERVAL_MS - TOLERANCE_MS) return true;
  return (
    configuredMs !== undefined &&
    configuredMs > STOCK_TIMEOUT_MS &&
    Math.abs(sum - configuredMs) <= TOLERANCE_MS
  );
}
