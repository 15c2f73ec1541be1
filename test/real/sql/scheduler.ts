import type { SqlClient } from "../../../src/agents/stores/sql.ts";
import { systemClock } from "../../../src/clock.ts";
import type { AgentExecution } from "../../../src/clouddriver/executions.ts";
import type { Agent } from "../../../src/sandbox/clouddriver/agents.ts";
import type { SchedulerOptions } from "../../../src/sandbox/clouddriver/scheduler.ts";

const TABLE = "cats_agent_locks";
const MIN_LIFE_MS = 500;
const TICK_MS = 250;

/** The scheduler's table, as Clouddriver's migration makes it. */
export async function createTable(client: SqlClient, name = TABLE): Promise<void> {
  await client.query(
    `CREATE TABLE ${name} (agent_name VARCHAR(500) PRIMARY KEY, owner_id VARCHAR(255) NOT NULL,
     lock_acquired BIGINT NOT NULL, lock_expiry BIGINT NOT NULL)`,
    [],
  );
}

type SqlSchedulerOptions = Omit<SchedulerOptions, "keyspace">;

/** Clouddriver's SQL scheduler (SqlClusteredAgentScheduler), until the signal aborts. */
export async function runSqlScheduler(client: SqlClient, options: SqlSchedulerOptions): Promise<void> {
  const { clock, node, agents, signal } = options;
  const active = new Map<string, Promise<void>>();

  async function tick(): Promise<void> {
    const { rows } = await client.query(`SELECT agent_name, lock_expiry FROM ${TABLE}`, []);
    const locked = new Set<string>();
    for (const row of rows) {
      if (clock.now() > Number(row.lock_expiry)) {
        await client.query(`DELETE FROM ${TABLE} WHERE agent_name = ? AND lock_expiry = ?`, [
          String(row.agent_name),
          Number(row.lock_expiry),
        ]);
      } else locked.add(String(row.agent_name));
    }
    for (const agent of agents) {
      if (locked.has(agent.type) || active.has(agent.type) || signal.aborted) continue;
      const now = clock.now();
      try {
        await client.query(
          `INSERT INTO ${TABLE} (agent_name, owner_id, lock_acquired, lock_expiry) VALUES (?, ?, ?, ?)`,
          [agent.type, node, now, now + (agent.timeoutMs ?? options.timeoutMs)],
        );
      } catch (error) {
        if (client.isDuplicate(error)) continue;
        throw error;
      }
      active.set(
        agent.type,
        execute(client, agent, now, options).finally(() => active.delete(agent.type)),
      );
    }
  }

  while (!signal.aborted) {
    await tick().catch((error) => {
      if (!signal.aborted) throw error;
    });
    await clock.sleep(TICK_MS, signal).catch(() => {});
  }
  await Promise.all(active.values());
}

/** Its end does not look at the owner: what is in the row by then is overwritten, or deleted. */
async function execute(client: SqlClient, agent: Agent, acquired: number, options: SqlSchedulerOptions) {
  const { clock, signal } = options;
  const ok = await options.run(agent).catch(() => false);
  if (signal.aborted) return;
  const interval = ok ? (agent.intervalMs ?? options.intervalMs()) : options.errorIntervalMs;
  const expiry = acquired + interval;
  if (expiry - clock.now() < MIN_LIFE_MS)
    await client.query(`DELETE FROM ${TABLE} WHERE agent_name = ?`, [agent.type]);
  else await client.query(`UPDATE ${TABLE} SET lock_expiry = ? WHERE agent_name = ?`, [expiry, agent.type]);
}

/** One node of it, with agents that only take time. */
export interface SqlNode {
  owner: string;
  /** Starts of runs, ms since the epoch, by agent. */
  starts: Map<string, number[]>;
  /** How many runs of one agent went on at one time, at most. */
  overlap(): number;
  executions(): Promise<{ byAgent: Map<string, AgentExecution>; serverTime: number }>;
  /** Ends at once and leaves the rows as they are. */
  kill(): void;
}

export function startNode(
  client: SqlClient,
  owner: string,
  agents: readonly string[],
  { intervalMs = 30_000, runMs = 300 } = {},
): SqlNode {
  const starts = new Map<string, number[]>(agents.map((agent) => [agent, []]));
  const executions = new Map<string, AgentExecution>();
  const running = new Map<string, number>();
  const stopper = new AbortController();
  const clock = systemClock();
  let most = 0;
  void runSqlScheduler(client, {
    clock,
    node: owner,
    agents: agents.map((type) => ({
      type,
      read: () => ({ calls: [], store: () => ({ additions: 0, evictions: 0 }) }),
    })),
    intervalMs: () => intervalMs,
    errorIntervalMs: intervalMs,
    timeoutMs: 300_000,
    signal: stopper.signal,
    async run({ type: id }) {
      const lastExecutionStartMs = clock.now();
      starts.get(id)?.push(lastExecutionStartMs);
      const count = (running.get(id) ?? 0) + 1;
      running.set(id, count);
      most = Math.max(most, count);
      await clock.sleep(runMs);
      running.set(id, count - 1);
      executions.set(id, { id, provider: "simulated", lastExecutionStartMs, lastExecutionDurationMs: runMs });
      return true;
    },
  });
  return {
    owner,
    starts,
    overlap: () => most,
    executions: async () => ({ byAgent: executions, serverTime: clock.now() + 500 }),
    kill: () => stopper.abort(),
  };
}
