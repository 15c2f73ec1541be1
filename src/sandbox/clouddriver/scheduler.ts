import type { Clock } from "../../clock.ts";
import type { Keyspace } from "../redis/keyspace.ts";
import type { Agent } from "./agents.ts";

/** What the scheduler of one node needs. */
export interface SchedulerOptions {
  clock: Clock;
  keyspace: Keyspace;
  /** The value of this node's locks. */
  node: string;
  agents: readonly Agent[];
  intervalMs: () => number;
  errorIntervalMs: number;
  timeoutMs: number;
  /** Ends everything at once and leaves the locks as they are, as kill -9 and SIGTERM do. */
  signal: AbortSignal;
  /** One run; false or a rejection is a failure. */
  run(agent: Agent): Promise<boolean>;
}

const TICK_MS = 1000;
/** Below this a lock is deleted instead of shortened (MIN_TTL_THRESHOLD). */
const MIN_LIFE_MS = 500;
/** From taking the lock to the run on its thread: this is why an interval of 30 s means a run every 31 s. */
const HAND_OFF_MS = 20;

/** Clouddriver's default Redis scheduler (ClusteredAgentScheduler), until the signal aborts. */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  const { clock, keyspace, node, agents, signal } = options;
  const active = new Map<string, Promise<void>>();
  try {
    for (let tick = clock.now(); ; tick = Math.max(tick + TICK_MS, clock.now())) {
      while (clock.now() < tick) await clock.sleep(tick - clock.now(), signal);
      let handOff: Promise<void> | undefined;
      for (const agent of agents) {
        if (active.has(agent.type)) continue;
        const px = agent.timeoutMs ?? options.timeoutMs;
        if (!keyspace.set(agent.type, node, { nx: true, px })) continue;
        handOff ??= clock.sleep(HAND_OFF_MS, signal);
        active.set(
          agent.type,
          execute(agent, handOff, options).finally(() => active.delete(agent.type)),
        );
      }
    }
  } catch (error) {
    await Promise.all(active.values());
    if (!signal.aborted) throw error;
  }
}

async function execute(agent: Agent, handOff: Promise<void>, options: SchedulerOptions): Promise<void> {
  const { clock, keyspace, node, signal } = options;
  let ok = false;
  let startedAt = clock.now();
  try {
    await handOff;
    startedAt = clock.now();
    ok = await options.run(agent);
  } catch {
    // A failure like any other, unless the node was stopped.
  }
  // A hold is a foreign value: it outlives the run.
  if (signal.aborted || keyspace.get(agent.type) !== node) return;
  const interval = ok ? (agent.intervalMs ?? options.intervalMs()) : options.errorIntervalMs;
  const px = startedAt + interval - clock.now();
  if (px < MIN_LIFE_MS) keyspace.del(agent.type);
  else keyspace.set(agent.type, node, { px });
}
