import { Redis } from "ioredis";
import { failure, messageOf, usageError } from "../../errors.ts";
import { hideSecrets } from "../../secrets.ts";
import { HOLD_PREFIX, RUN_NOW } from "./redis-scripts.ts";

/** What the lock of one agent says. */
export interface Lock {
  /** Absent: due now. */
  holder: string | undefined;
  /** Remaining life, ms; 0 without a holder. */
  lifeMs: number;
  /** Set by an `aec`, to keep the agent from running. */
  held: boolean;
}

/** Clouddriver's agent locks in Redis (ClusteredAgentScheduler: the key is the agentType, without a prefix). */
export interface LockStore {
  lock(agent: string): Promise<Lock>;
  /** How many of these agents have a lock. */
  count(agents: readonly string[]): Promise<number>;
  /** Frees the agent if it is idle: if its lock lives no longer than `idleMs`. */
  runNow(agent: string, idleMs: number): Promise<"due" | "held" | "running" | "foreign" | "released">;
  close(): void;
}

/** Connects on first use; a lost connection fails the call at hand and is opened again for the next one. */
export function openRedisLocks(url: string): LockStore {
  if (!/^rediss?:\/\//.test(url)) {
    throw usageError("bad-lock-store", `"${hideSecrets(url)}" is not the URL of a Redis`, {
      hint: "redis://HOST:6379, the redis.connection of Clouddriver; SQL lock stores are not supported yet",
    });
  }
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  // The call at hand fails with a text about retries; why the connection fails is told here.
  let connectionError: Error | undefined;
  redis.on("error", (error: Error) => {
    connectionError = error;
  });
  redis.on("ready", () => {
    connectionError = undefined;
  });

  const call = async <T>(what: string, command: () => Promise<T>): Promise<T> => {
    try {
      return await command();
    } catch (cause) {
      throw failure("lock-store-failed", `the lock store ${hideSecrets(url)} failed at ${what}`, {
        detail: messageOf(connectionError ?? cause),
        hint: "check --lock-store: it is the redis.connection of Clouddriver",
        cause,
      });
    }
  };

  return {
    lock: (agent) =>
      call("GET", async () => {
        const [value, life] = await Promise.all([redis.get(agent), redis.pttl(agent)]);
        const holder = value ?? undefined;
        return { holder, lifeMs: holder ? life : 0, held: holder?.startsWith(HOLD_PREFIX) ?? false };
      }),
    count: (agents) => call("EXISTS", async () => (agents.length === 0 ? 0 : redis.exists(...agents))),
    runNow: (agent, idleMs) =>
      call("EVAL", async () => {
        const answer = await redis.eval(RUN_NOW, 1, agent, String(idleMs));
        return answer as Awaited<ReturnType<LockStore["runNow"]>>;
      }),
    close: () => redis.disconnect(),
  };
}
