import type { Clock } from "../clock.ts";
import type { AgentExecution } from "../clouddriver/executions.ts";
import { ownIntervalMs } from "../polling/own-intervals.ts";
import { isIdle, usualInterval } from "./idle.ts";
import type { LockStore } from "./stores/store.ts";

/** What running an agent takes. */
export interface AgentRunner {
  locks: LockStore;
  /** Last successful runs, and Clouddriver's own clock (the end of the second of its Date header). */
  executions(): Promise<{ byAgent: ReadonlyMap<string, AgentExecution>; serverTime: number | undefined }>;
  clock: Clock;
  signal: AbortSignal;
  /** Bound on one run, ms. */
  timeoutMs: number;
  /** The agents' interval where it is configured, ms. */
  intervalMs?: number | undefined;
  /** Told that at this time, ms, no run had begun yet: what happened before is seen by the run that is awaited. */
  notBegun?(atMs: number): void;
}

export type AgentRun =
  | { outcome: "ran"; startedMs: number; durationMs: number }
  /** The run ended without success: AWS or Clouddriver failed. */
  | { outcome: "failed" }
  /** Another `aec` keeps the agent from running. */
  | { outcome: "held" }
  /** Not taken, or not ended, in time. */
  | { outcome: "timed-out"; waitingFor: "idle" | "start" | "end" };

const POLL_MS = 150;
/** While an agent may be running: introspection of a large site is megabytes. */
const BUSY_POLL_MS = 500;
/** A second, which is as fine as a Date header gets, and clocks of nodes that differ a little. */
const CLOCK_SLACK_MS = 2_000;
/** A lock that is first seen with less life than this is that of a run that is already over. */
const TAKEN_LIFE_MS = 290_000;
/** How long a lock has to go on ageing quietly before a run that introspection knows counts as stored. */
const SETTLED_MS = 2_000;
const WITNESS_TRIES = 8;

/**
 * Runs one caching agent now, by the scheduler's own protocol, and proves it: resolves with "ran" only for a
 * successful run that started after this call and whose result is stored. The lock tells that a run began and ended
 * (a node takes it up anew, and gives it a shorter life when all is stored); introspection tells that it succeeded.
 * Never starts a run beside one that may be going on.
 */
export async function runAgent(agent: string, runner: AgentRunner): Promise<AgentRun> {
  const { clock, locks } = runner;
  const deadline = clock.now() + runner.timeoutMs;

  let interval = ownIntervalMs(agent) ?? runner.intervalMs;
  let after: number;
  let began: boolean;
  for (;;) {
    const lock = await locks.lock(agent);
    if (lock.held) return { outcome: "held" };
    const { byAgent, serverTime } = await runner.executions();
    const now = serverTime === undefined ? clock.now() : serverTime - 500;
    const sample = { lifeMs: lock.lifeMs, lastStartMs: byAgent.get(agent)?.lastExecutionStartMs };
    if (!isIdle(sample, now, interval)) interval ??= await usual(runner, byAgent, now);
    if (isIdle(sample, now, interval)) {
      // Later than any start that is known, and not long before now: another replica may know of one in between.
      after = Math.max(sample.lastStartMs ?? 0, now - CLOCK_SLACK_MS);
      // The life only falls while the agent is idle: a lock with more of it was taken again meanwhile.
      const askedAt = clock.now();
      const answer = await locks.runNow(agent, lock.lifeMs);
      if (answer === "released" || answer === "due") runner.notBegun?.(askedAt);
      if (answer === "held") return { outcome: "held" };
      if (answer === "due" || answer === "released" || answer === "running") {
        began = answer === "running";
        break;
      }
    }
    if (clock.now() >= deadline) return { outcome: "timed-out", waitingFor: "idle" };
    await clock.sleep(BUSY_POLL_MS, runner.signal);
  }

  const end = await untilEnded(agent, after, began, deadline, runner);
  if (end !== "ended") return { outcome: "timed-out", waitingFor: end };
  // Introspection is one replica's memory: behind a balanced address it may take some tries to meet the right one.
  for (let attempt = 0; attempt < WITNESS_TRIES; attempt += 1) {
    const run = await successAfter(agent, after, runner);
    if (run) return run;
    await clock.sleep(POLL_MS, runner.signal);
  }
  return { outcome: "failed" };
}

/** So many agents tell enough of a site. */
const MAX_SAMPLES = 100;

/** The interval of the site, where nobody has said it: from its other agents. */
async function usual(
  { locks }: AgentRunner,
  byAgent: ReadonlyMap<string, AgentExecution>,
  now: number,
): Promise<number | undefined> {
  const names = [...byAgent.keys()].filter((id) => ownIntervalMs(id) === undefined).slice(0, MAX_SAMPLES);
  const found = await locks.locksOf(names);
  const samples = [...found].flatMap(([id, { lifeMs, held }]) =>
    held ? [] : [{ lifeMs, lastStartMs: byAgent.get(id)?.lastExecutionStartMs }],
  );
  return usualInterval(samples, now);
}

/** Follows the lock until the run that it stands for is over and stored. */
async function untilEnded(
  agent: string,
  after: number,
  began: boolean,
  deadline: number,
  runner: AgentRunner,
): Promise<"ended" | "start" | "end"> {
  const { clock, locks } = runner;
  let taken = began;
  let last: { lifeMs: number; at: number } | undefined;
  let knownSince: number | undefined;
  while (clock.now() < deadline) {
    const lookedAt = clock.now();
    const { holder, lifeMs } = await locks.lock(agent);
    const at = clock.now();
    if (holder === undefined) {
      // Freed at the end of a run that took longer than the interval; before one it is not taken yet.
      if (last) return "ended";
      if (!taken) runner.notBegun?.(lookedAt);
    } else {
      taken = true;
      if (!last && lifeMs < TAKEN_LIFE_MS) return "ended";
      if (last && last.lifeMs - lifeMs > at - last.at + 1_000) return "ended";
      // With intervals near the timeout an ended run leaves as much life as one that has begun.
      knownSince ??= (await successAfter(agent, after, runner)) ? at : undefined;
      if (knownSince !== undefined && at - knownSince >= SETTLED_MS) return "ended";
      last = { lifeMs, at };
    }
    await clock.sleep(POLL_MS, runner.signal);
  }
  return taken ? "end" : "start";
}

async function successAfter(
  agent: string,
  after: number,
  { executions }: AgentRunner,
): Promise<AgentRun | undefined> {
  const execution = (await executions()).byAgent.get(agent);
  if (!execution || execution.lastExecutionStartMs <= after) return undefined;
  return {
    outcome: "ran",
    startedMs: execution.lastExecutionStartMs,
    durationMs: execution.lastExecutionDurationMs,
  };
}
