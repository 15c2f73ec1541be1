import { randomInt } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Clock } from "../../clock.ts";
import type { Inventory } from "../aws/inventory.ts";
import type { Keyspace } from "../redis/keyspace.ts";
import { type Account, type Agent, createAgents } from "./agents.ts";
import { type Cache, cacheOf } from "./cache.ts";
import { createIntrospection } from "./introspection.ts";
import { createOnDemand } from "./ondemand.ts";
import { createRoutes } from "./routes.ts";
import { runScheduler } from "./scheduler.ts";
import { type FaultRule, startWeb } from "./web.ts";

/** What `startClouddriver` takes. */
export interface ClouddriverOptions {
  clock: Clock;
  /** Counts the AWS calls, and is what all accounts have that bring no inventory of their own. */
  inventory: Inventory;
  /** Locks and cache lie here: nodes that share it work as one Clouddriver, and a restart finds both again. */
  keyspace: Keyspace;
  accounts: readonly Account[];
  /** Name under which AWS calls are counted. */
  client: string;
  /** `redis.poll.intervalSeconds` and its like, in ms. */
  intervalMs?: number;
  errorIntervalMs?: number;
  timeoutMs?: number;
  /** How long a run lasts on the clock. */
  runMs?: number;
  /** The value of this node's locks, `ip:pid@host`. */
  node?: string;
  /** Stops the node as `kill()` does. */
  signal?: AbortSignal;
  /** Default: the scheduler whose locks are in the keyspace. */
  schedule?: typeof runScheduler;
}

/** One finished run. */
interface AgentRun {
  agent: string;
  startedAt: number;
  endedAt: number;
  ok: boolean;
}

/** A running Clouddriver node. */
export interface SandboxClouddriver {
  url: string;
  port: number;
  node: string;
  cache: Pick<Cache, "get" | "all" | "changedAt" | "onVisible">;
  /** Finished runs, oldest first. */
  runs: readonly AgentRun[];
  fault(rule: FaultRule | undefined): void;
  /** Agents whose name matches fail as when AWS answers 500: four calls, nothing stored. */
  failAws(agents: RegExp | undefined): void;
  /** Changes the default interval; each agent takes it up when its next run ends. */
  setInterval(ms: number): void;
  /** Stops as kill -9 does, and as a SIGTERM was seen to: at once, and the locks stay. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** The SDK asks four times before it gives up. */
const ATTEMPTS = 4;

/** Starts a node of Clouddriver 5.90.0 with Redis cache and scheduler on a free port of 127.0.0.1. */
export async function startClouddriver(options: ClouddriverOptions): Promise<SandboxClouddriver> {
  const { clock, inventory, keyspace, accounts, runMs = 150 } = options;
  const node = options.node ?? `127.0.0.1:${randomInt(1000, 60_000)}@sandbox`;
  const stop = new AbortController();
  const { signal } = stop;
  setMaxListeners(0, signal);
  const cache = cacheOf(keyspace, clock);
  const introspection = createIntrospection();
  const inventoryOf = (account: Account) => account.inventory ?? inventory;
  const agents = createAgents(accounts, { inventoryOf, cache, clock });
  const runs: AgentRun[] = [];
  let failing: RegExp | undefined;
  let interval = options.intervalMs ?? 30_000;

  const callAws = (agent: string, calls: readonly string[]) => {
    const fails = failing?.test(agent) ?? false;
    const made = fails
      ? calls.slice(0, 1).flatMap((call) => Array.from({ length: ATTEMPTS }, () => call))
      : calls;
    for (const action of made) inventory.count(options.client, action);
    return !fails;
  };
  let pause = { until: 0, over: Promise.resolve() };
  /** Runs that start together share one timer. */
  const lastOneRun = (startedAt: number) => {
    const until = startedAt + runMs;
    if (pause.until !== until) pause = { until, over: clock.sleep(runMs, signal) };
    return pause.over;
  };
  const run = async (agent: Agent) => {
    const startedAt = clock.now();
    const reading = agent.read();
    const ok = callAws(agent.type, reading.calls);
    await lastOneRun(startedAt);
    const endedAt = clock.now();
    if (ok) {
      const totals = reading.store(startedAt);
      if (agent.provider)
        introspection.record({ agent: agent.type, provider: agent.provider, startedAt, endedAt, ...totals });
    }
    runs.push({ agent: agent.type, startedAt, endedAt, ok });
    return ok;
  };

  const onDemand = createOnDemand({ accounts, agents, cache, clock, inventoryOf, callAws });
  const web = await startWeb(
    clock,
    createRoutes({ accounts, cache, introspection, onDemand, now: clock.now }),
  );
  const scheduler = (options.schedule ?? runScheduler)({
    clock,
    keyspace,
    node,
    agents,
    intervalMs: () => interval,
    errorIntervalMs: options.errorIntervalMs ?? 30_000,
    timeoutMs: options.timeoutMs ?? 300_000,
    signal,
    run,
  });
  const kill = async () => {
    stop.abort();
    await Promise.all([web.close(), scheduler]);
  };
  if (options.signal?.aborted) await kill();
  else options.signal?.addEventListener("abort", () => void kill(), { once: true, signal });

  return {
    url: `http://127.0.0.1:${web.port}`,
    port: web.port,
    node,
    cache,
    runs,
    fault: web.fault,
    failAws(pattern) {
      failing = pattern;
    },
    setInterval(ms) {
      interval = ms;
    },
    kill,
    close: kill,
  };
}
