import { agentsOf } from "../agents/kinds.ts";
import { nextPass } from "../agents/pass.ts";
import { type AgentRun, runAgent } from "../agents/run.ts";
import type { LockStore } from "../agents/stores/store.ts";
import type { Clock } from "../clock.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import { EXIT, ExpectedError } from "../errors.ts";
import type { WorkItem } from "./items.ts";
import { mayPost, type OnDemandRequest, onDemandRequest } from "./on-demand.ts";
import { readBack } from "./read-back.ts";
import { compare, type Verdict } from "./verdict.ts";

/** How an item was made fresh: an agent run, an on-demand call, or by waiting for the agent's own next pass. */
export type Via = "agents" | "clouddriver" | "pass" | "none";

export interface ItemResult extends WorkItem {
  via: Via;
  verdict: Verdict;
  detail: string;
  durationMs: number;
}

export interface Refresher {
  clouddriver: Clouddriver;
  /** Absent: no agent can be run at will. */
  locks: LockStore | undefined;
  clock: Clock;
  signal: AbortSignal;
  timeoutMs: number;
  intervalMs?: number | undefined;
  /** Waits for an agent's next own pass; default: each call by itself. */
  nextPass?: (agent: string) => Promise<boolean>;
}

type Attempt =
  | {
      done: true /** The answer named something that was cached: without it only a visible change is a proof. */;
      handled?: boolean;
    }
  | { done: false; verdict: Verdict; detail: string };

const DONE: Attempt = { done: true };

/** Runs the agents of the items, each agent once, and proves each item by what the cache showed before and after. */
export async function refreshByAgents(
  items: readonly WorkItem[],
  refresher: Refresher,
): Promise<ItemResult[]> {
  const { clouddriver, locks } = refresher;
  if (!locks) throw new Error("agent runs need a lock store");
  const runs = new Map<string, Promise<AgentRun>>();
  const runOnce = (agent: string) => {
    const known = runs.get(agent);
    if (known !== undefined) return known;
    const started = runAgent(agent, { ...refresher, locks, executions: clouddriver.executions });
    runs.set(agent, started);
    return started;
  };
  return Promise.all(
    items.map((item) =>
      proven(item, "agents", refresher, async () => {
        const agents = agentsOf(item.type, item.account, item.region);
        const outcomes = await Promise.all(
          agents.map(async (agent) => attemptOf(agent, await runOnce(agent))),
        );
        return outcomes.find(({ done }) => !done) ?? DONE;
      }),
    ),
  );
}

function attemptOf(agent: string, run: AgentRun): Attempt {
  switch (run.outcome) {
    case "ran":
      return DONE;
    case "held":
      return { done: false, verdict: "failed", detail: `${agent} is held by another aec` };
    case "failed":
      return {
        done: false,
        verdict: "failed",
        detail: `${agent} ran without success; Clouddriver's log tells why`,
      };
    case "timed-out":
      return { done: false, verdict: "stale", detail: TIMEOUTS[run.waitingFor](agent) };
  }
}

const TIMEOUTS = {
  idle: (agent: string) => `${agent} was still busy with an earlier run`,
  start: (agent: string) =>
    `no node took ${agent}: is a caching Clouddriver running, and is the lock store its own?`,
  end: (agent: string) => `${agent} started and did not end in time`,
};

/**
 * Without a lock store: an on-demand call where it does no harm, else the agent's next pass is waited for.
 * `always` posts in any case. One item after the other, because on the Redis cache each call may hide another group.
 */
export async function refreshOnDemand(
  items: readonly WorkItem[],
  refresher: Refresher,
  always: boolean,
  report: (result: ItemResult) => void,
): Promise<ItemResult[]> {
  const results: ItemResult[] = [];
  for (const item of items) {
    const result = await refreshOne(item, refresher, always);
    results.push(result);
    report(result);
  }
  return results;
}

async function refreshOne(item: WorkItem, refresher: Refresher, always: boolean): Promise<ItemResult> {
  const { clouddriver } = refresher;
  const request = await onDemandRequest(clouddriver, item);
  if (request && (always || (await mayPost(clouddriver, item)))) {
    return proven(item, "clouddriver", refresher, () => post(clouddriver, request));
  }
  if (item.name === "*") {
    const detail = "all of a kind need an agent run: add --lock-store (the Redis of Clouddriver's scheduler)";
    return { ...item, via: "none", verdict: "not-handled", detail, durationMs: 0 };
  }
  return proven(item, "pass", refresher, () => waitForPass(item, refresher));
}

async function post(clouddriver: Clouddriver, { kind, body }: OnDemandRequest): Promise<Attempt> {
  const { status, body: answer } = await clouddriver.refresh(kind, body);
  if (status === 200 || status === 202) {
    const handled = Object.values(answer?.cachedIdentifiersByType ?? {}).some((ids) => ids.length > 0);
    return { done: true, handled };
  }
  return {
    done: false,
    verdict: "failed",
    detail: `Clouddriver answered ${status} to POST /cache/aws/${kind}`,
  };
}

async function waitForPass(item: WorkItem, refresher: Refresher): Promise<Attempt> {
  const agents = agentsOf(item.type, item.account, item.region);
  const wait =
    refresher.nextPass ??
    ((agent: string) => nextPass(agent, { ...refresher, executions: refresher.clouddriver.executions }));
  const passes = await Promise.all(agents.map(wait));
  const late = agents.filter((_, index) => !passes[index]);
  if (late.length === 0) return DONE;
  return { done: false, verdict: "stale", detail: `no pass of ${late.join(" and ")} came in time` };
}

/** How long a pass may take to store what it has already told introspection. */
const STORE_MS = 5_000;
const STORE_POLL_MS = 500;

async function proven(
  item: WorkItem,
  via: Via,
  refresher: Refresher,
  attempt: () => Promise<Attempt>,
): Promise<ItemResult> {
  const { clouddriver, clock } = refresher;
  const started = clock.now();
  const result = (verdict: Verdict, detail: string): ItemResult => ({
    ...item,
    via,
    verdict,
    detail,
    durationMs: clock.now() - started,
  });
  try {
    const before = await readBack(clouddriver, item);
    const outcome = await attempt();
    if (!outcome.done) return result(outcome.verdict, outcome.detail);
    let { verdict, detail } = compare(before, await readBack(clouddriver, item));
    // A pass is known before it is stored: that nothing changed, or is there, proves something only a while later.
    const nothingYet = () => verdict === "unchanged" || verdict === "not-handled";
    for (const end = clock.now() + STORE_MS; via === "pass" && nothingYet() && clock.now() < end; ) {
      await clock.sleep(STORE_POLL_MS, refresher.signal);
      ({ verdict, detail } = compare(before, await readBack(clouddriver, item)));
    }
    const nothingSeen = verdict === "unchanged" || (verdict === "refreshed" && item.name === "*");
    return outcome.handled === false && nothingSeen
      ? result(
          "not-handled",
          "Clouddriver answered 200 and named nothing: no agent took it, or the one that did failed",
        )
      : result(verdict, detail);
  } catch (error) {
    // One item that cannot be read must not take the others' results along.
    if (error instanceof ExpectedError && error.exit === EXIT.failed) return result("failed", error.message);
    throw error;
  }
}
