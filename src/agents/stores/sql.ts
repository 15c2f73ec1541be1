import { failure, messageOf, usageError } from "../../errors.ts";
import { hideSecrets } from "../../secrets.ts";
import { HOLD_PREFIX, type Lock, type LockStore } from "./store.ts";

/** One SQL database, as far as locks need it. */
export interface SqlClient {
  /** Its clock as an expression, ms since the epoch. */
  now: string;
  query(
    sql: string,
    values: readonly (string | number)[],
  ): Promise<{ rows: readonly Record<string, unknown>[]; changed: number }>;
  isDuplicate(error: unknown): boolean;
  close(): void;
}

interface Row {
  owner: string;
  expiry: number;
  lifeMs: number;
}

const NAMESPACE = /^[A-Za-z0-9_]{1,40}$/;

/**
 * Clouddriver's agent locks in SQL (SqlClusteredAgentScheduler): a row for each agent, `lock_expiry` in ms since the
 * epoch; an expired row is no lock. Every change names the expiry that was seen, as the scheduler's own do, so that a
 * row that was taken anew meanwhile is left alone. A node's completion does not look at the owner: only idle agents may
 * be held. `?table-namespace=` is Clouddriver's `sql.table-namespace`.
 */
export function openSqlLocks(client: SqlClient, url: string): LockStore {
  const namespace = new URL(url).searchParams.get("table-namespace");
  if (namespace !== null && !NAMESPACE.test(namespace)) {
    throw usageError("bad-lock-store", `"${namespace}" is no table-namespace`, {
      hint: "it is Clouddriver's sql.table-namespace: letters, digits and _",
    });
  }
  const table = namespace === null ? "cats_agent_locks" : `cats_agent_locks_${namespace}`;

  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw failure("lock-store-failed", `the lock store ${hideSecrets(url)} failed`, {
        detail: messageOf(cause),
        hint: "check --lock-store: it is the database of Clouddriver's SQL scheduler (sql.scheduler.enabled)",
        cause,
      });
    }
  };
  const read = async (agents: readonly string[] | undefined): Promise<Map<string, Row>> => {
    const where = agents === undefined ? "" : ` WHERE agent_name IN (${agents.map(() => "?").join(", ")})`;
    const { rows } = await client.query(
      `SELECT agent_name, owner_id, lock_expiry, ${client.now} AS now_ms FROM ${table}${where}`,
      agents ?? [],
    );
    return new Map(
      rows.map((row) => {
        const expiry = Number(row.lock_expiry);
        const seen = { owner: String(row.owner_id), expiry, lifeMs: expiry - Number(row.now_ms) };
        return [String(row.agent_name), seen] as const;
      }),
    );
  };
  const one = async (agent: string) => (await read([agent])).get(agent);

  return {
    lock: (agent) => call(async () => lockOf(await one(agent))),
    locked: () =>
      call(async () => [...(await read(undefined)).keys()].filter((name) => !name.startsWith("aec/"))),
    locksOf: (agents) =>
      call(async () => {
        if (agents.length === 0) return new Map();
        const wanted = new Set(agents);
        const found = [...(await read(undefined))].map(([agent, row]) => [agent, lockOf(row)] as const);
        return new Map(found.filter(([agent, { holder }]) => holder !== undefined && wanted.has(agent)));
      }),
    count: (agents) =>
      call(async () => {
        if (agents.length === 0) return 0;
        return [...(await read(agents)).values()].filter(({ lifeMs }) => lifeMs > 0).length;
      }),
    // Its table comes with every newer Clouddriver: only its rows tell (PubSubAgentScheduler).
    otherScheduler: async () => {
      const found = await client
        .query("SELECT agent_type FROM pubsub_agent_state LIMIT 1", [])
        .catch(() => undefined);
      return found && found.rows.length > 0 ? "pubsub" : undefined;
    },
    runNow: (agent, idleMs) =>
      call(async () => {
        const row = await one(agent);
        if (!row || row.lifeMs <= 0) return "due";
        if (row.owner.startsWith(HOLD_PREFIX)) return "held";
        if (row.lifeMs > idleMs) return "running";
        const { changed } = await client.query(
          `DELETE FROM ${table} WHERE agent_name = ? AND lock_expiry = ?`,
          [agent, row.expiry],
        );
        return changed > 0 ? "released" : "running";
      }),
    hold: (agent, value, lifeMs, idleMs) =>
      call(async () => {
        const row = await one(agent);
        const life = Math.ceil(lifeMs);
        if (!row) return insert(agent, value, life);
        const ours = row.owner === value;
        if (!ours && row.lifeMs > 0) {
          if (row.owner.startsWith(HOLD_PREFIX)) return "held";
          if (row.lifeMs > idleMs) return "running";
        }
        const { changed } = await client.query(
          `UPDATE ${table} SET owner_id = ?, lock_expiry = ${client.now} + ? WHERE agent_name = ? AND lock_expiry = ?`,
          [value, life, agent, row.expiry],
        );
        return changed > 0 ? "set" : "running";
      }),
    deleteIf: (agent, value, maxLifeMs) =>
      call(async () => {
        const row = await one(agent);
        if (row?.owner !== value || row.lifeMs > (maxLifeMs ?? Number.POSITIVE_INFINITY)) return false;
        const { changed } = await client.query(
          `DELETE FROM ${table} WHERE agent_name = ? AND owner_id = ? AND lock_expiry = ?`,
          [agent, value, row.expiry],
        );
        return changed > 0;
      }),
    shares: false,
    remember: async () => {},
    recall: async () => undefined,
    close: client.close,
  };

  async function insert(agent: string, value: string, lifeMs: number): Promise<"set" | "running"> {
    try {
      await client.query(
        `INSERT INTO ${table} (agent_name, owner_id, lock_acquired, lock_expiry) VALUES (?, ?, ${client.now}, ${client.now} + ?)`,
        [agent, value, lifeMs],
      );
      return "set";
    } catch (error) {
      // A node was faster.
      if (client.isDuplicate(error)) return "running";
      throw error;
    }
  }
}

function lockOf(row: Row | undefined): Lock {
  if (!row || row.lifeMs <= 0) return { holder: undefined, lifeMs: 0, held: false };
  return { holder: row.owner, lifeMs: row.lifeMs, held: row.owner.startsWith(HOLD_PREFIX) };
}
