import type { Logger } from "pino";
import { parseAgent } from "../agents/catalog.ts";
import { STOCK_INTERVAL_MS } from "../agents/idle.ts";
import { sight } from "../agents/sight.ts";
import { openLockStore } from "../agents/stores/open.ts";
import type { LockStore } from "../agents/stores/store.ts";
import { createSns } from "../aws/sns.ts";
import { createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { messageOf, usageError } from "../errors.ts";
import { createSigningKeys } from "../events/certificate.ts";
import { signingHosts } from "../events/signing-host.ts";
import { connectGate, type GateConnection } from "../gate/connect.ts";
import { runningGroups } from "../gate/executions.ts";
import { configuredIntervalMs } from "../polling/configured.ts";
import { configuredFloors } from "../polling/floors.ts";
import { createKeeper, type Keeper } from "../polling/live/keeper.ts";
import { standingWishes } from "../polling/live/standing.ts";
import { refreshByAgents } from "../refresh/by-agents.ts";
import type { AccountRegion } from "../refresh/items.ts";
import { refreshOnDemand } from "../refresh/on-request.ts";
import { createTurns } from "../refresh/turns.ts";
import { hideSecrets } from "../secrets.ts";
import { snsEndpoint } from "../sns/endpoint.ts";
import { createAccounts } from "./accounts.ts";
import { configuredAccounts } from "./configured-accounts.ts";
import { type Coverage, createCoverage } from "./holding/coverage.ts";
import { watchExecutions } from "./holding/executions.ts";
import { heal } from "./holding/heal.ts";
import { createHealth, type Health, isGroupPlace } from "./holding/health.ts";
import { watchPending } from "./holding/pending.ts";
import { watchRefreshedServices } from "./holding/refreshed-services.ts";
import { slowFloor } from "./holding/slow-floor.ts";
import { createUnannounced, type Unannounced } from "./holding/unannounced.ts";
import { createLeases, type Leases } from "./leases.ts";
import { createDispatch, type Dispatch } from "./receiving/dispatch.ts";
import { createHandle } from "./receiving/handle.ts";
import { createAgentRuns } from "./running/agent-runs.ts";
import { type Apply, createApply, type Mode } from "./running/apply.ts";
import { createBalancers } from "./running/balancers.ts";
import { floorPass } from "./running/floor.ts";
import { createPace } from "./running/pace.ts";
import { createRefreshRequests, type RefreshRequests } from "./running/refresh-requests.ts";
import { placeOfTopic } from "./topic-clients.ts";
import type { Watcher } from "./watcher.ts";

export interface SchedulerOptions {
  mode: Mode;
  topics: readonly string[];
  debounceMs: number;
  requireVersion2: boolean;
  /** Accounts whose agents mode `events` may hold; default: all. */
  canary?: readonly string[] | undefined;
  log: Logger;
  /** Default: nobody watches. */
  watcher?: Watcher;
}

/** Everything between a received message and the refreshed cache. */
export interface Scheduler {
  dispatch: Dispatch;
  /** Keeps live polling; absent without a lock store. */
  keeper: Keeper | undefined;
  /** How fast events arrive; held by it in mode `events` alone. Absent without a lock store. */
  coverage: Coverage | undefined;
  /** Frees what dead nodes block, where `heal` is set in `aec.yml`; ends when it is stopped. */
  heal(): Promise<void>;
  /** Runs what Orca waits for, in mode `events`; ends when it is stopped. */
  watchPending(): Promise<void>;
  /** What replicas agree by; absent without a lock store. */
  leases: Leases | undefined;
  /** How often agents run where nobody holds them, ms. */
  stockMs: number;
  /** Looks at what running executions deploy, in mode `events` where a Gate is configured; ends when it is stopped. */
  watchExecutions(): Promise<void>;
  /** `ACCOUNT/REGION/NAME` of the groups whose health is looked at. */
  watched(): string[];
  /** `ACCOUNT/REGION` that are treated gently. */
  slow(): string[];
  /** One pass of the agents that have not run for long; nothing without a lock store, where stock polling does it. */
  floorPass(why: string, place?: AccountRegion): Promise<void>;
  /** Tells of what came or went in the cache without an event, in mode `events`; ends when it is stopped. */
  watchUnannounced(lost: (why: string, place: AccountRegion) => Promise<unknown>): Promise<void>;
  refreshes: RefreshRequests;
  /** What is not reachable now; empty when ready. */
  missing(): Promise<string[]>;
  close(): Promise<void>;
}

/** On-demand calls, in each account and Region. */
const CALLS_PER_SECOND = 2;
/** Bound on one agent run or one wait for a pass. */
const RUN_TIMEOUT_MS = 120_000;

const NOBODY: Watcher = {
  settled() {},
  refreshed() {},
  refused() {},
  throttled() {},
  certificateFetched() {},
  heartbeat() {},
  healed() {},
};

/** Connects Clouddriver and the lock store. Throws where one of them is named wrongly. */
export async function openScheduler(
  context: Context,
  { mode, topics, debounceMs, requireVersion2, canary, log, watcher = NOBODY }: SchedulerOptions,
): Promise<Scheduler> {
  const { world, settings } = context;
  const { clock, signal } = world;
  const endpoint = snsEndpoint(world);
  if (endpoint)
    log.warn({ endpoint }, "signing certificates are taken from the configured SNS endpoint alone");
  const clouddriver = createClouddriver(context);
  const byLocks = runsAgents(mode);
  const locks = byLocks ? await openLockStore(settings.lockStore.value ?? "") : undefined;
  const intervalMs = configuredIntervalMs(context);
  const floors = { ...configuredFloors(context), canary, stockMs: intervalMs ?? STOCK_INTERVAL_MS };
  // In mode agents it tells what mode events would do.
  const coverage = byLocks ? createCoverage(floors) : undefined;
  const holds = mode === "events";
  const keeper =
    locks &&
    createKeeper({
      locks,
      see: () => sight(clouddriver, locks, clock, intervalMs, false),
      clock,
      signal,
      log,
      owner: `serve of ${settings.environment.value ?? "default"}`,
      standing: standingWishes(context),
      ...(coverage && holds && { floorOf: coverage.floorOf }),
    });
  const pace = createPace(clock, signal);
  const refresher = {
    clouddriver,
    locks: locks && keeper?.yielding(locks),
    clock,
    signal,
    timeoutMs: context.timeout(RUN_TIMEOUT_MS),
    intervalMs,
    turns: pace.slowing(createTurns(CALLS_PER_SECOND, clock, signal)),
  };
  const accounts = createAccounts(clouddriver.accounts, configuredAccounts(context), clock);
  const byAgents = refresher.locks && { ...refresher, locks: refresher.locks };
  const shared = locks && (await openStateStore(settings.stateStore.value, locks));
  const leases = shared && createLeases(shared, clock, signal, log);
  const leads = () => leases?.leads() ?? true;
  const runs = byAgents && leases && createAgentRuns(byAgents, { debounceMs, pace, leases });
  const counted: typeof fetch = (input, init) => {
    watcher.certificateFetched();
    return context.fetch(input, init);
  };
  const balancers = createBalancers(refresher, { debounceMs, pace });
  const health =
    coverage && holds && runs && locks
      ? createHealth({
          clouddriver,
          balancers,
          run: runs,
          // Another replica may have the proof, and the hold.
          isHeld: async (agent) => (await locks.lock(agent)).held,
          everyMs: floors.stockMs,
          clock,
          signal,
          log,
        })
      : undefined;
  const unannounced = createUnannounced(clock, shared?.shares ? shared : undefined);
  const apply = createApply(mode, refresher, { debounceMs, pace, runs, balancers });
  const handle = createHandle({
    accounts,
    apply: health ? watching(apply, health, unannounced) : apply,
    confirm: async (topicArn, token) =>
      createSns(context, await placeOfTopic(context, topicArn)).confirm(topicArn, token),
    pace: async ({ account, region, throttled, reason }) => {
      log.warn(
        { account, region, reason },
        throttled ? "AWS throttles: slowed down" : "at the usual pace again",
      );
      if (throttled) {
        watcher.throttled(account, region);
        pace.slowDown(account, region);
      } else pace.speedUp(account, region);
      if (keeper) await slowFloor(keeper, clock.now(), { account, region, throttled, reason });
    },
    watcher,
    clock,
    log,
  });
  const dispatch = createDispatch({
    policy: {
      topics: signingHosts(topics, endpoint),
      requireVersion2,
      keys: createSigningKeys(counted, clock),
      clock,
    },
    handle,
    watcher,
    clock,
    log,
  });
  return {
    dispatch,
    keeper,
    leases,
    stockMs: floors.stockMs,
    watched: () => health?.watched() ?? [],
    slow: pace.slow,
    coverage,
    async heal() {
      if (!locks || !settings.section.heal) return;
      const see = () => sight(clouddriver, locks, clock, intervalMs, true);
      await heal({ leads, locks, see, healed: watcher.healed, clock, signal, log });
    },
    async watchPending() {
      if (!health || !runs) return;
      const watching = { leads, clouddriver, health, clock, signal, log };
      await Promise.all([
        watchPending({ ...watching, run: runs }),
        watchRefreshedServices({ ...watching, accounts, everyMs: floors.stockMs }),
      ]);
    },
    async watchExecutions() {
      if (!health || settings.gate.value === undefined) return;
      let gate: Promise<GateConnection> | undefined;
      const running = async () => {
        gate ??= connectGate(context);
        try {
          return await runningGroups((await gate).reads, clock.now());
        } catch (error) {
          // A login may be over: the next question begins with that of then.
          gate = undefined;
          throw error;
        }
      };
      await watchExecutions({ leads, running, health, everyMs: floors.stockMs, clock, signal, log });
    },
    async floorPass(why, place) {
      if (byAgents && runs) await floorPass(why, { refresher: byAgents, accounts, run: runs, log }, place);
    },
    async watchUnannounced(lost) {
      if (!coverage || !holds) return;
      // Replicas that cannot tell each other of their events would take them for lost.
      if (!shared?.shares) {
        const problem = "without a Redis (--state-store) replicas cannot tell each other what was announced";
        log.warn({ problem }, "changes that no event tells of are not looked for");
      } else await unannounced.watch({ clouddriver, coverage, lost, signal, log });
    },
    refreshes: createRefreshRequests({
      accounts,
      clouddriver,
      clock,
      signal,
      shared,
      refresh: (items) =>
        byAgents && runs
          ? refreshByAgents(items, { ...byAgents, run: (agent) => runs(agent, askedFor(agent)) }, () => {})
          : refreshOnDemand(items, refresher, { always: mode === "on-demand", via: "clouddriver" }, () => {}),
    }),
    async missing() {
      const problems = await Promise.allSettled([accounts(), locks?.count(["readiness"])]);
      return problems.flatMap((problem) =>
        problem.status === "rejected" ? [messageOf(problem.reason)] : [],
      );
    },
    async close() {
      await leases?.giveBack();
      locks?.close();
      if (shared !== locks) shared?.close();
    },
  };
}

/** Each event is remembered; what it says of a server group is the beginning of something whose end none tells. */
function watching(apply: Apply, health: Health, unannounced: Unannounced): Apply {
  return async (event, item, overtaken) => {
    unannounced.announce(item);
    const applied = await apply(event, item, overtaken);
    if (isGroupPlace(item) && item.name !== "*" && applied.ran) health.watch(item, item.name);
    return applied;
  };
}

/** Whether a mode needs the lock store. */
function runsAgents(mode: Mode): boolean {
  return mode === "agents" || mode === "events";
}

/** Somebody waits for it, as for what is deployed. */
function askedFor(agent: string) {
  const { account, region } = parseAgent(agent);
  return { account: account ?? "", region: region ?? "", type: "server-group" } as const;
}

/** A Redis of `aec`'s own, or the lock store. Throws a usage error for any other kind of store. */
async function openStateStore(url: string | undefined, locks: LockStore): Promise<LockStore> {
  if (url === undefined) return locks;
  if (/^rediss?:/i.test(url)) return openLockStore(url);
  throw usageError("bad-state-store", `"${hideSecrets(url)}" is not the URL of a Redis`, {
    hint: "redis://HOST:6379; without --state-store the lock store is used",
  });
}

/** `agents` with a lock store, else `careful`. Throws where agents are wanted without one. */
export function chooseMode(wanted: Mode | undefined, lockStore: string | undefined): Mode {
  if (wanted !== undefined && runsAgents(wanted) && lockStore === undefined) {
    throw usageError("no-lock-store", `mode ${wanted} needs the lock store of Clouddriver's scheduler`, {
      hint: "add --lock-store redis://HOST:6379, or use --mode careful",
    });
  }
  return wanted ?? (lockStore === undefined ? "careful" : "agents");
}
