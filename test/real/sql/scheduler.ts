import type { SqlClient } from "../../../src/agents/stores/sql.ts";
import type { AgentExecution } from "../../../src/clouddriver/executions.ts";

const TABLE = "cats_agent_locks";
const TIMEOUT_MS = 300_000;
const TICK_MS = 250;

/** The scheduler's table, as Clouddriver's migration makes it. */
export async function createTable(client: SqlClient, name = TABLE): Promise<void> {
  await client.query(
    `CREATE TABLE ${name} (agent_name VARCHAR(500) PRIMARY KEY, owner_id VARCHAR(255) NOT NULL,
     lock_acquired BIGINT NOT NULL, lock_expiry BIGINT NOT NULL)`,
    [],
  );
}

/** One node of Clouddriver's SQL scheduler (SqlClusteredAgentScheduler), with agents that only take time. */
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
  const active = new Set<string>();
  let most = 0;
  let killed = false;

  /** Neither looks at the owner: what is at completion in the row is overwritten, or deleted. */
  async function run(agent: string, acquired: number): Promise<void> {
    starts.get(agent)?.push(acquired);
    await new Promise((resolve) => setTimeout(resolve, runMs));
    if (killed) return;
    executions.set(agent, {
      id: agent,
      provider: "simulated",
      lastExecutionStartMs: acquired,
      lastExecutionDurationMs: runMs,
    });
    const left = acquired + intervalMs - Date.now();
    if (left < 500) await client.query(`DELETE FROM ${TABLE} WHERE agent_name = ?`, [agent]);
    else
      await client.query(`UPDATE ${TABLE} SET lock_expiry = ? WHERE agent_name = ?`, [
        Date.now() + left,
        agent,
      ]);
  }

  async function tick(): Promise<void> {
    const { rows } = await client.query(`SELECT agent_name, lock_expiry FROM ${TABLE}`, []);
    const locked = new Set<string>();
    for (const row of rows) {
      if (Date.now() > Number(row.lock_expiry)) {
        await client.query(`DELETE FROM ${TABLE} WHERE agent_name = ? AND lock_expiry = ?`, [
          String(row.agent_name),
          Number(row.lock_expiry),
        ]);
      } else locked.add(String(row.agent_name));
    }
    for (const agent of agents) {
      if (locked.has(agent) || active.has(agent)) continue;
      const now = Date.now();
      try {
        await client.query(
          `INSERT INTO ${TABLE} (agent_name, owner_id, lock_acquired, lock_expiry) VALUES (?, ?, ?, ?)`,
          [agent, owner, now, now + TIMEOUT_MS],
        );
      } catch (error) {
        if (client.isDuplicate(error)) continue;
        throw error;
      }
      active.add(agent);
      most = Math.max(most, [...active].filter((name) => name === agent).length);
      void run(agent, now).finally(() => active.delete(agent));
    }
  }

  void (async () => {
    while (!killed) {
      await tick().catch((error) => {
        if (!killed) throw error;
      });
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  })();

  return {
    owner,
    starts,
    overlap: () => most,
    executions: async () => ({ byAgent: executions, serverTime: Date.now() + 500 }),
    kill: () => {
      killed = true;
    },
  };
}
