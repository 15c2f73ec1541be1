import type { Clock } from "../clock.ts";
import type { AgentExecution } from "../clouddriver/client.ts";
import { idleLimit, inferInterval } from "./idle.ts";
import type { LockStore } from "./stores/redis.ts";

/** What running an agent takes. */
export interface AgentRunner {
  locks: LockStore;
  executions(): Promise<{ byAgent: ReadonlyMap<string, AgentExecution> }>;
  clock: Clock;
  signal: AbortSignal;
  /** Bound on one run, ms. */
  timeoutMs: number;
  /** The agents' interval where it is configured, ms; inferred otherwise. */
  intervalMs?: number | undefined;
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
/** How often introspection is asked although the lock tells nothing: a run may be shorter than a poll. */
const WITNESS_MS = 2_000;

/**
 * Runs one caching agent now, by the scheduler's own protocol, and proves it: resolves with "ran" only for a
 * successful run that started after this call. Never starts a second run beside one that is going on.
 */
export async function runAgent(agent: string, runner: AgentRunner): Promise<AgentRun> {
  const { clock, locks } = runner;
  const deadline = clock.now() + runner.timeoutMs;
  const idleMs = await measureIdleLimit(agent, runner);

  if (!(await untilNotRunning(agent, idleMs, deadline, runner)))
    return { outcome: "timed-out", waitingFor: "idle" };
  // Nothing runs at this moment, so every start that introspection does not know yet comes after this call.
  const before = await lastStart(agent, runner);
  const answer = await locks.runNow(agent, idleMs);
  if (answer === "held") return { outcome: "held" };

  let taken = answer === "running";
  let nextWitness = clock.now() + WITNESS_MS;
  while (clock.now() < deadline) {
    const { holder, lifeMs } = await locks.lock(agent);
    const running = holder !== undefined && lifeMs > idleMs;
    const ended = holder !== undefined ? !running : taken;
    taken ||= holder !== undefined;
    if (ended || clock.now() >= nextWitness) {
      const run = await newRun(agent, before, runner);
      if (run) return run;
      if (ended) {
        // Introspection learns of a run a moment before or after the lock does.
        await clock.sleep(POLL_MS, runner.signal);
        return (await newRun(agent, before, runner)) ?? { outcome: "failed" };
      }
      nextWitness = clock.now() + WITNESS_MS;
    }
    await clock.sleep(POLL_MS, runner.signal);
  }
  return { outcome: "timed-out", waitingFor: taken ? "end" : "start" };
}

/** The limit from what agents of the same account and Region do now. */
async function measureIdleLimit(
  agent: string,
  { locks, executions, clock, intervalMs }: AgentRunner,
): Promise<number> {
  if (intervalMs !== undefined) return idleLimit(intervalMs);
  const { byAgent } = await executions();
  const prefix = agent.split("/").slice(0, 2).join("/");
  const peers = [...byAgent.values()].filter(({ id }) => id.startsWith(prefix)).slice(0, 12);
  const samples = await Promise.all(
    peers.map(async ({ id, lastExecutionStartMs }) => ({
      lastStartMs: lastExecutionStartMs,
      lifeMs: (await locks.lock(id)).lifeMs,
    })),
  );
  return idleLimit(
    inferInterval(
      samples.filter(({ lifeMs }) => lifeMs > 0),
      clock.now(),
    ),
  );
}

async function untilNotRunning(
  agent: string,
  idleMs: number,
  deadline: number,
  runner: AgentRunner,
): Promise<boolean> {
  for (;;) {
    const { lifeMs, held } = await runner.locks.lock(agent);
    if (held || lifeMs <= idleMs) return true;
    if (runner.clock.now() >= deadline) return false;
    await runner.clock.sleep(POLL_MS, runner.signal);
  }
}

async function lastStart(agent: string, { executions }: AgentRunner): Promise<number> {
  return (await executions()).byAgent.get(agent)?.lastExecutionStartMs ?? 0;
}

async function newRun(
  agent: string,
  before: number,
  { executions }: AgentRunner,
): Promise<AgentRun | undefined> {
  const execution = (await executions()).byAgent.get(agent);
  if (!execution || execution.lastExecutionStartMs <= before) return undefined;
  return {
    outcome: "ran",
    startedMs: execution.lastExecutionStartMs,
    durationMs: execution.lastExecutionDurationMs,
  };
}
