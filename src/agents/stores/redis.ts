import { Redis } from "ioredis";
import { failure, messageOf } from "../../errors.ts";
import { hideSecrets } from "../../secrets.ts";
import { DELETE_IF, HOLD, RUN_NOW } from "./redis-scripts.ts";
import { HOLD_PREFIX, type Lock, type LockStore } from "./store.ts";

const SCAN_COUNT = 1_000;
const CHUNK = 500;

/** The cache keeps what agents have found under names that end in theirs (RedisCache). */
const IN_CACHE = /:(?:relationships|attributes|members|exists|hashes)\b|^com\.netflix\./;

/** Where Clouddriver's sort scheduler keeps its agents (ClusteredSortAgentScheduler). */
const SORT_QUEUES = ["WAITZ", "WORKZ"];

/** A node's identity is `ip:pid@host` (DefaultNodeIdentity); anything else in the database is no lock. */
function isLock(value: string): boolean {
  return value.startsWith(HOLD_PREFIX) || /^[^\s]{1,200}:\d+@[^\s]{1,300}$/.test(value);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/**
 * Clouddriver's agent locks in Redis (ClusteredAgentScheduler: the key is the agentType, without a prefix).
 * Connects on first use; a lost connection fails the call at hand and is opened again for the next one.
 */
export function openRedisLocks(url: string): LockStore {
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
    shares: true,
    lock: (agent) =>
      call("GET", async () => {
        const [value, life] = await Promise.all([redis.get(agent), redis.pttl(agent)]);
        const holder = value ?? undefined;
        return { holder, lifeMs: holder ? life : 0, held: holder?.startsWith(HOLD_PREFIX) ?? false };
      }),
    locked: () =>
      call("SCAN", async () => {
        const names = new Set<string>();
        for await (const keys of redis.scanStream({ match: "*Agent*", count: SCAN_COUNT })) {
          for (const key of keys as string[]) {
            if (!IN_CACHE.test(key) && !key.startsWith("aec:")) names.add(key);
          }
        }
        return [...names];
      }),
    locksOf: (agents) =>
      call("MGET", async () => {
        const found = new Map<string, Lock>();
        for (const chunk of chunks(agents, CHUNK)) {
          // The cache lives in the same database: what is no string answers null here.
          const values = await redis.mget(chunk);
          const lives = await Promise.all(
            chunk.map((key, index) => (isLock(values[index] ?? "") ? redis.pttl(key) : 0)),
          );
          chunk.forEach((key, index) => {
            const holder = values[index];
            if (typeof holder !== "string" || !isLock(holder)) return;
            found.set(key, { holder, lifeMs: lives[index] ?? 0, held: holder.startsWith(HOLD_PREFIX) });
          });
        }
        return found;
      }),
    hold: (agent, value, lifeMs, idleMs) =>
      call("EVAL", async () => {
        const answer = await redis.eval(HOLD, 1, agent, value, String(Math.ceil(lifeMs)), String(idleMs));
        return answer as Awaited<ReturnType<LockStore["hold"]>>;
      }),
    remember: (key, text, lifeMs) =>
      call("SET", async () => void (await redis.set(key, text, "PX", Math.ceil(lifeMs)))),
    recall: (key) => call("GET", async () => (await redis.get(key)) ?? undefined),
    deleteIf: (agent, value, maxLifeMs) =>
      call("EVAL", async () => (await redis.eval(DELETE_IF, 1, agent, value, String(maxLifeMs ?? ""))) === 1),
    count: (agents) => call("EXISTS", async () => (agents.length === 0 ? 0 : redis.exists(...agents))),
    otherScheduler: () =>
      call("EXISTS", async () => ((await redis.exists(...SORT_QUEUES)) > 0 ? "sort" : undefined)),
    runNow: (agent, idleMs) =>
      call("EVAL", async () => {
        const answer = await redis.eval(RUN_NOW, 1, agent, String(idleMs));
        return answer as Awaited<ReturnType<LockStore["runNow"]>>;
      }),
    close: () => redis.disconnect(),
  };
}
