import pLimit from "p-limit";
import { agentsOf, type ResourceType } from "../agents/kinds.ts";
import { nextPass } from "../agents/pass.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { WorkItem } from "./items.ts";
import { oldRecords } from "./old-records.ts";
import { mayPost, type OnDemandRequest, onDemandRequest } from "./on-demand.ts";
import { readBack } from "./read-back.ts";
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
 * Without a lock store: an on-demand call where it does no harm, else the agent's next pass is waited for. The calls of
 * one account and Region come one after the other; what waits for a pass waits together, and what a later call has
 * hidden waits for one too.
 */
export async function refreshOnDemand(
  items: readonly WorkItem[],
  refresher: Refresher,
  { always, via }: OnDemandPolicy,
  report: (result: ItemResult) => void,
): Promise<ItemResult[]> {
  const { clouddriver, turns } = refresher;
  const limit = pLimit(refresher.concurrency ?? Number.POSITIVE_INFINITY);
  const sent = new Map<string, Promise<Attempt>>();
  const passes = new Map<string, Promise<boolean>>();
  const watcher = { ...refresher, executions: clouddriver.executions };
  // Whoever waits first for an agent's pass waits for the same one: it starts after this command did.
  const passOf = (agent: string, first: boolean) =>
    first ? once(passes, agent, () => nextPass(agent, watcher)) : nextPass(agent, watcher);
  const old = always ? new Set<WorkItem>() : await oldRecords(items, clouddriver);

  const refreshOne = async (item: WorkItem): Promise<ItemResult> => {
    const undone = (detail: string): ItemResult => ({
      ...item,
      via: "none",
      verdict: "not-handled",
      detail,
      durationMs: 0,
    });
    if (via.startsWith("gate") && !SHOWN_BY_GATE.includes(item.type)) return undone(NOT_BY_GATE);
    const posted = await turns.inTurn(`${item.account}/${item.region}`, async () => {
      const request = await onDemandRequest(clouddriver, item);
      if (!request || !(always || (await mayPost(clouddriver, item)))) return undefined;
      return proven(item, via, refresher, (tries) =>
        once(sent, requestKey(request, item, tries), () => post(item, request, refresher, limit)),
      );
    });
    if (posted) return needsPass(posted) ? afterPass(item, via) : posted;
    if (via === "gate-task") return undone(NO_TASK);
    if (item.name === "*") {
      return undone(
        "all of a kind need an agent run: add --lock-store (the Redis of Clouddriver's scheduler)",
      );
    }
    return afterPass(item, "pass");
  };
  const afterPass = (item: WorkItem, how: Via) =>
    proven(
      item,
      how,
      refresher,
      async (tries) => {
        const pass = (first: boolean) => refresher.nextPass ?? ((agent: string) => passOf(agent, first));
        const passed = await waitForPass(item, pass(tries === 1));
        return passed.done && tries === 1 && old.has(item) ? waitForPass(item, pass(false)) : passed;
      },
      { storedLater: true },
    );

  const results = await Promise.all(
    items.map(async (item) => {
      const result = await refreshOne(item);
      report(result);
      return result;
    }),
  );
  return Promise.all(
    results.map(async (result) => ((await isHidden(result, clouddriver)) ? unhidden(result) : result)),
  );

  async function unhidden(result: ItemResult): Promise<ItemResult> {
    if (via !== "gate-task") return afterPass(result, via);
    return { ...result, verdict: "stale", detail: "a later call has hidden it, until the agent's next pass" };
  }
}

/** On the Redis cache each call for a server group hides the one before it. */
async function isHidden(result: ItemResult, clouddriver: Clouddriver): Promise<boolean> {
  const { type, via, verdict } = result;
  if (type !== "server-group" || via === "pass" || (verdict !== "refreshed" && verdict !== "unchanged"))
    return false;
  return (await readBack(clouddriver, result)).present === false;
}

/** Of other kinds Gate has no route, or one that differs between releases. */
const SHOWN_BY_GATE: readonly ResourceType[] = [
  "server-group",
  "security-group",
  "load-balancer",
  "ecs-service",
];
const NOT_BY_GATE = "Gate does not show this kind: name Clouddriver itself with --clouddriver-url";
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
    await turns.ready(place);
    answer = await limit(() => {
      turns.begin(place);
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
