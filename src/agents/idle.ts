/** What is seen of one agent at a moment: its last successful start (node's clock) and its lock's remaining life. */
export interface AgentSample {
  lastStartMs: number;
  lifeMs: number;
}

const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 300_000;
/** A lock that was read a moment after the clock was, and node clocks that differ a little. */
const TOLERANCE_MS = 1_000;
/** No site polls more often than this, so that a running agent's figure cannot be smaller than timeout and this. */
const SHORTEST_INTERVAL_MS = 10_000;
/** Runs are shorter than this: locks of running agents lie closer together. */
const RUN_SPREAD_MS = 60_000;

/**
 * The interval that agents run at, in ms. An idle lock ends at start + interval, so `now + life − start` is the
 * interval; of a running agent the same figure is interval + timeout. Figures from 310 s on may therefore mean either,
 * and count only where the lives differ by more than runs last. Without proof it is Clouddriver's default: too short
 * an interval makes `aec` wait longer, too long a one would make it start a second run beside the first.
 */
export function inferInterval(samples: readonly AgentSample[], now: number): number {
  const figures = samples
    .map(({ lastStartMs, lifeMs }) => ({ lifeMs, figure: now + lifeMs - lastStartMs }))
    .toSorted((a, b) => a.figure - b.figure);
  for (const { figure } of figures) {
    const alike = figures.filter((other) => Math.abs(other.figure - figure) <= TOLERANCE_MS);
    const lives = alike.map(({ lifeMs }) => lifeMs);
    const spread = Math.max(...lives) - Math.min(...lives);
    const ambiguous = figure >= DEFAULT_TIMEOUT_MS + SHORTEST_INTERVAL_MS;
    if (alike.length > 1 && (!ambiguous || spread > RUN_SPREAD_MS)) return Math.round(figure / 1_000) * 1_000;
  }
  return DEFAULT_INTERVAL_MS;
}

/** The longest life of a lock that still means idle. While an agent runs, its lock lives for nearly the timeout. */
export function idleLimit(intervalMs: number): number {
  return intervalMs + TOLERANCE_MS;
}
