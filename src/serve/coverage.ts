import {
  agentNames,
  agentsOf,
  isGlobal,
  providerOf,
  RESOURCE_TYPES,
  type ResourceType,
} from "../agents/kinds.ts";
import type { Clock } from "../clock.ts";
import type { Wish } from "../polling/live/wishes.ts";
import type { WorkItem } from "../refresh/items.ts";
import type { Settled } from "./watcher.ts";

/** How fast events of a kind arrive in an account and Region, and what that lets `serve` do. */
export interface Covered {
  account: string;
  region: string;
  type: ResourceType;
  events: number;
  /** From AWS's own time of the change to receiving it, ms. */
  p95Ms: number;
  /** Whether its agents may be left to the floor. */
  proven: boolean;
}

export interface Coverage {
  /** An event that no pass had seen before arrived so long after its change. */
  note(item: WorkItem, lagMs: number): void;
  /** Something is under way there: health is looked at as often as ever. */
  active(account: string, region: string): void;
  /** The wish for an agent that may be left to the floor now; undefined where it keeps its own pace. */
  floorOf(agent: string): Wish | undefined;
  /** Events may have been lost: nothing is proven any more. */
  forget(): void;
  all(): Covered[];
}

/** Fewer are no proof. */
const ENOUGH = 5;
const KEPT = 50;
/** A deployment's instances become healthy in that time. */
const ACTIVE_MS = 3 * 60_000;
const OWNER = "aec serve";

/** They cache health, of which AWS tells nothing: slow only where nothing is under way (clouddriver-aws). */
const HEALTH = [
  "AmazonApplicationLoadBalancerCachingAgent",
  "AmazonLoadBalancerCachingAgent",
  "AmazonLoadBalancerInstanceStateCachingAgent",
  "InstanceCachingAgent",
] as const;
/** Orca waits for their passes in ways that are not watched. */
const OWN_PACE: ReadonlySet<ResourceType> = new Set(["function", "ecs-service"]);
const HELD_TYPES = RESOURCE_TYPES.filter(
  (type) => !OWN_PACE.has(type) && !agentNames(type).some((agent) => HEALTH.some((name) => name === agent)),
);

/** Measures how fast events arrive; only where that is faster than `stockMs` agents are left to the floor. */
export function createCoverage(clock: Clock, floorMs: number, stockMs: number): Coverage {
  const lags = new Map<string, { item: Pick<WorkItem, "account" | "region" | "type">; lags: number[] }>();
  const lastActive = new Map<string, number>();
  /** Agents by name, with the reason; made anew when something was learnt. */
  let floors: Map<string, string> | undefined;

  const isProven = (seen: readonly number[]) => seen.length >= ENOUGH && p95(seen) < stockMs;
  const computeFloors = () => {
    const found = new Map<string, string>();
    for (const { item, lags: seen } of lags.values()) {
      if (!isProven(seen)) continue;
      const reason = `${item.type}: 95 of 100 events within ${(p95(seen) / 1_000).toFixed(1)} s`;
      if (HELD_TYPES.includes(item.type)) for (const agent of agentsOf(item)) found.set(agent, reason);
      if (item.type !== "server-group") continue;
      for (const name of HEALTH)
        found.set(`${item.account}/${item.region}/${name}`, `nothing is under way; ${reason}`);
    }
    return found;
  };
  const isActive = (place: string) =>
    clock.now() - (lastActive.get(place) ?? Number.NEGATIVE_INFINITY) < ACTIVE_MS;

  return {
    note({ account, region, type }, lagMs) {
      if (isGlobal(type) || providerOf(type) !== "aws") return;
      const key = `${account}/${region}/${type}`;
      const known = lags.get(key) ?? { item: { account, region, type }, lags: [] };
      known.lags = [...known.lags, lagMs].slice(-KEPT);
      lags.set(key, known);
      floors = undefined;
    },
    active: (account, region) => void lastActive.set(`${account}/${region}`, clock.now()),
    floorOf(agent) {
      // A site that polls more rarely than the floor has its own one.
      if (floorMs <= stockMs) return undefined;
      floors ??= computeFloors();
      const reason = floors.get(agent);
      if (reason === undefined) return undefined;
      const [account, region, name] = agent.split("/");
      if (HEALTH.some((health) => health === name) && isActive(`${account}/${region}`)) return undefined;
      return { agents: agent, intervalMs: floorMs, until: null, owner: OWNER, reason };
    },
    forget() {
      lags.clear();
      floors = undefined;
    },
    all: () =>
      [...lags.values()].map(({ item, lags: seen }) => ({
        account: item.account,
        region: item.region,
        type: item.type,
        events: seen.length,
        p95Ms: p95(seen),
        proven: isProven(seen),
      })),
  };
}

/** What a message tells of how fast events arrive: only what no pass had seen before counts. */
export function noteSettled(coverage: Coverage, { fate, event }: Settled): void {
  for (const item of event ? (fate.work ?? []) : []) {
    coverage.active(item.account, item.region);
    if (event && fate.ran && event.at > 0) coverage.note(item, (fate.receivedAt ?? 0) - event.at);
  }
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.POSITIVE_INFINITY;
}
