import { isIdle } from "../../agents/idle.ts";
import type { Sighting } from "../../agents/sighting.ts";
import { ownIntervalMs } from "../own-intervals.ts";
import type { Wish } from "./wishes.ts";

/** What to do about one agent now. */
export type Step =
  | { action: "hold"; lifeMs: number; idleMs: number }
  /** Our hold is not wanted any more, or its agent is due. */
  | { action: "release" }
  | { action: "run"; idleMs: number }
  | { action: "none" };

/** If `aec` dies, its holds end within a minute and stock polling goes on: not that of all agents in one second. */
const HOLD_LIFE_MS = 60_000;
const SPREAD_MS = 25_000;
/** Renewed with so much left: two looks or more before the shortest ends. */
const RENEW_BELOW_MS = 20_000;
/** An attempt is noticed so much after it began, at most: one that succeeded is known better by its start. */
const SEEN_LATE_MS = 15_000;
/** A hold shorter than that is not worth a call: the agent is about to be due. */
const SHORTEST_HOLD_MS = 1_000;

/**
 * Decides for one agent, from its lock, its last start and the wish in force; pure. `attemptMs` is when it was last seen
 * to begin, with or without success: the interval counts from there, so that what fails is not tried all the time.
 */
export function nextStep(
  agent: string,
  wish: Wish | undefined,
  sighting: Sighting,
  ownValue: string,
  attemptMs?: number,
): Step {
  const { executions, locks, now, configuredMs } = sighting;
  const lock = locks.get(agent);
  const ours = lock?.holder === ownValue;
  if (!wish) return ours ? { action: "release" } : { action: "none" };
  if (lock?.held && !ours) return { action: "none" };

  const lifeMs = lock?.lifeMs ?? 0;
  const lastStartMs = executions.get(agent)?.lastExecutionStartMs;
  // Without a known start an interval has nothing to count from: the agent runs once first, and a hold of ours ends.
  const failed =
    attemptMs !== undefined && (lastStartMs === undefined || attemptMs - lastStartMs > SEEN_LATE_MS);
  const retrying = failed ? { ...wish, intervalMs: wish.retryMs ?? wish.intervalMs } : wish;
  const dueInMs = dueIn(retrying, failed ? attemptMs : lastStartMs, now);
  if (dueInMs === undefined) return { action: "none" };
  if (!ours && !isIdle({ lifeMs, lastStartMs }, now, ownIntervalMs(agent) ?? configuredMs))
    return { action: "none" };
  if (dueInMs <= 0) {
    if (ours) return { action: "release" };
    return lifeMs > SHORTEST_HOLD_MS ? { action: "run", idleMs: lifeMs } : { action: "none" };
  }
  if (dueInMs < SHORTEST_HOLD_MS) return { action: "none" };
  if (ours && lifeMs > Math.min(RENEW_BELOW_MS, dueInMs - SHORTEST_HOLD_MS)) return { action: "none" };
  // A lock that ends when the agent is due is as good as a hold.
  if (!ours && lock?.holder !== undefined && Math.abs(lifeMs - dueInMs) <= SHORTEST_HOLD_MS)
    return { action: "none" };
  return { action: "hold", lifeMs: Math.min(holdLife(agent), dueInMs), idleMs: lifeMs };
}

/** Always the same for an agent, 35 to 60 s. */
function holdLife(agent: string): number {
  let hash = 0;
  for (const character of agent) hash = (hash * 31 + character.charCodeAt(0)) % SPREAD_MS;
  return HOLD_LIFE_MS - hash;
}

/** Until the agent may run again, ms; undefined where that cannot be told. */
function dueIn(
  { intervalMs, until }: Wish,
  lastStartMs: number | undefined,
  now: number,
): number | undefined {
  const end = until === null ? Number.POSITIVE_INFINITY : until - now;
  if (intervalMs === null) return end;
  return lastStartMs === undefined ? undefined : Math.min(end, lastStartMs + intervalMs - now);
}
