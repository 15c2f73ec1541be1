import pLimit from "p-limit";
import { agentsOf } from "../agents/kinds.ts";
import { nextPass } from "../agents/pass.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { WorkItem } from "./items.ts";
import { mayPost, type OnDemandRequest, onDemandRequest } from "./on-demand.ts";
import {
  type Attempt,
  DONE,
  type ItemResult,
  type OnDemandVia,
  proven,
  type Refresher,
  type Via,
} from "./refresh.ts";

/** How far on-demand calls go. */
export interface OnDemandPolicy {
  /** Call in any case, not only where it does no harm. */
  always: boolean;
  via: OnDemandVia;
}

/**
 * Without a lock store: an on-demand call where it does no harm, else the agent's next pass is waited for. The calls of one account and Region come one after the other, because on the Redis cache each
 * may hide another group; what waits for a pass waits together.
 */
export async function refreshOnDemand(
  items: readonly WorkItem[],
  refresher: Refresher,
  { always, via }: OnDemandPolicy,
  report: (result: ItemResult) => void,
): Promise<ItemResult[]> {
  const lanes = new Map<string, ReturnType<typeof pLimit>>();
  const laneOf = ({ account, region }: WorkItem) => {
    const place = `${account}/${region}`;
    const lane = lanes.get(place) ?? pLimit(1);
    lanes.set(place, lane);
    return lane;
  };
  const limit = pLimit(refresher.concurrency ?? Number.POSITIVE_INFINITY);
  const sent = new Map<string, Promise<Attempt>>();
  const passes = new Map<string, Promise<boolean>>();
  const watcher = { ...refresher, executions: refresher.clouddriver.executions };
  // Whoever waits first for an agent's pass waits for the same one: it starts after this command did.
  const passOf = (agent: string, tries: number) =>
    tries === 1 ? once(passes, agent, () => nextPass(agent, watcher)) : nextPass(agent, watcher);

  const refreshOne = async (item: WorkItem): Promise<ItemResult> => {
    const posted = await laneOf(item)(async () => {
      const request = await onDemandRequest(refresher.clouddriver, item);
      if (!request || !(always || (await mayPost(refresher.clouddriver, item)))) return undefined;
      return proven(item, via, refresher, (tries) =>
        once(sent, requestKey(request, item, tries), () => post(item, request, refresher, limit)),
      );
    });
    if (posted) return needsPass(posted) ? afterPass(item, via) : posted;
    if (via === "gate-task")
      return { ...item, via: "none", verdict: "not-handled", detail: NO_TASK, durationMs: 0 };
    if (item.name === "*") {
      const detail =
        "all of a kind need an agent run: add --lock-store (the Redis of Clouddriver's scheduler)";
      return { ...item, via: "none", verdict: "not-handled", detail, durationMs: 0 };
    }
    return afterPass(item, "pass");
  };
  const afterPass = (item: WorkItem, how: Via) =>
    proven(item, how, refresher, (tries) =>
      waitForPass(item, refresher.nextPass ?? ((agent) => passOf(agent, tries))),
    );
  return Promise.all(
    items.map(async (item) => {
      const result = await refreshOne(item);
      report(result);
      return result;
    }),
  );
}

const NO_TASK = "Orca has no task that refreshes this: use --via gate-proxy, or --lock-store";

/**
 * Whether the call alone does not tell: on the SQL cache a group that is there shows what was found only after the next
 * pass (a task of Orca's waits for it itself), and a second-generation balancer that is gone from AWS stays until then.
 */
function needsPass({ type, verdict, via }: ItemResult): boolean {
  if (via === "gate-task") return false;
  return (
    (type === "server-group" && verdict === "unchanged") ||
    (type === "load-balancer" && verdict === "not-handled")
  );
}

/** One call reloads all security groups, or all ECS services, of an account and Region, whatever it names. */
function requestKey(
  { kind }: OnDemandRequest,
  { type, account, region, name }: WorkItem,
  tries: number,
): string {
  const regional = type === "security-group" || type === "ecs-service";
  return [kind, account, region, regional ? "*" : name, tries].join("/");
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const promise = made.get(key) ?? make();
  made.set(key, promise);
  return promise;
}

async function post(
  { account, region }: WorkItem,
  { kind, body, times }: OnDemandRequest,
  { clouddriver, turns }: Refresher,
  limit: ReturnType<typeof pLimit>,
): Promise<Attempt> {
  let answer: Awaited<ReturnType<Clouddriver["refresh"]>> | undefined;
  const place = `${account}/${region}`;
  for (let time = 0; time < times; time += 1) {
    await turns?.ready(place);
    answer = await limit(() => {
      turns?.begin(place);
      return clouddriver.refresh(kind, body);
    });
    if (answer.status !== 200 && answer.status !== 202) {
      const detail = `Clouddriver answered ${answer.status} to POST /cache/${kind}`;
      return { done: false, verdict: "failed", detail };
    }
  }
  const named = Object.values(answer?.body?.cachedIdentifiersByType ?? {});
  return { done: true, handled: named.some((ids) => ids.length > 0) };
}

async function waitForPass(item: WorkItem, pass: (agent: string) => Promise<boolean>): Promise<Attempt> {
  const agents = agentsOf(item);
  const passed = await Promise.all(agents.map(pass));
  const late = agents.filter((_, index) => !passed[index]);
  if (late.length === 0) return DONE;
  return { done: false, verdict: "stale", detail: `no pass of ${late.join(" and ")} came in time` };
}
