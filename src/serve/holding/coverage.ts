import { LRUCache } from "lru-cache";
import { parseAgent } from "../../agents/catalog.ts";
import { agentNames, isGlobal, RESOURCE_TYPES, type ResourceType } from "../../agents/kinds.ts";
import type { ResourceEvent } from "../../events/event.ts";
import { percentile } from "../../percentile.ts";
import { type Floors, floorFor } from "../../polling/floors.ts";
import { SERVE, type Wish } from "../../polling/live/wishes.ts";
import type { AccountRegion, WorkItem } from "../../refresh/items.ts";
import type { Settled } from "../watcher.ts";

type EventSource = ResourceEvent["source"];

/** How fast events of a kind arrive in an account and Region, and whether that lets `serve` leave it to the floor. */
export interface Covered {
  account: string;
  region: string;
  type: ResourceType;
  events: number;
  /** From AWS's own time of the change to receiving it, ms. */
  p95Ms: number;
  proven: boolean;
  /** By which ways the changes were told. */
  sources: readonly CoveredSource[];
}

export interface CoveredSource {
  source: EventSource;
  /** Those that told it first. */
  events: number;
  p95Ms: number;
  /** Those that another source was faster with. */
  duplicates: number;
}

/** Why an agent runs as often as it does. */
export interface AgentPace {
  /** Undefined: it keeps its own pace. */
  floorMs: number | undefined;
  reason: string;
}

export interface Coverage {
  /** An event arrived; both times in ms since the epoch, `at` AWS's own of the change. */
  note(item: WorkItem, source: EventSource, at: number, receivedAt: number): void;
  paceOf(agent: string): AgentPace;
  /** The wish for an agent that may be left to the floor now; undefined where it keeps its own pace. */
  floorOf(agent: string): Wish | undefined;
  /** Events may have been lost, there or anywhere: nothing is proven any more. */
  forget(place?: AccountRegion): void;
  all(): Covered[];
}

export interface CoverageOptions extends Floors {
  /** Spinnaker's accounts that are tried first; undefined: all. */
  canary: readonly string[] | undefined;
  /** How often agents run by themselves: what is not faster than that proves nothing. */
  stockMs: number;
}

/** Fewer are no proof. */
const ENOUGH = 5;
const KEPT = 50;
/** What one source tells so soon after another is the same change: AWS Config takes minutes. */
const DUPLICATE_MS = 10 * 60_000;
const MAX_ITEMS = 50_000;

/** Clusters and container instances come and go without an event; task health asks AWS for nothing. */
const OWN_PACE: readonly string[] = [
  "EcsClusterCachingAgent",
  "ContainerInstanceCachingAgent",
  "ScalableTargetsCachingAgent",
  "TaskHealthCachingAgent",
];

/** The kinds of events that tell of what an agent caches, by the last part of its agentType: each has to be proven. */
const TOLD_BY: ReadonlyMap<string, readonly ResourceType[]> = toldBy();

/** Whether events can tell enough of what an agent caches for it to be left to the floor. */
export function isTold(agentType: string): boolean {
  return TOLD_BY.has(parseAgent(agentType).kind);
}

function toldBy(): Map<string, ResourceType[]> {
  const found = new Map<string, ResourceType[]>([
    // It caches the health of instances behind classic balancers.
    ["AmazonLoadBalancerInstanceStateCachingAgent", ["server-group", "load-balancer"]],
    // It caches the health of what is behind each target group.
    ["TargetHealthCachingAgent", ["ecs-service"]],
  ]);
  for (const type of RESOURCE_TYPES) {
    if (isGlobal(type)) continue;
    const held = agentNames(type).filter((name) => !OWN_PACE.includes(name));
    for (const name of held) found.set(name, [...(found.get(name) ?? []), type]);
  }
  return found;
}

/** Measures how fast events arrive; only where that is faster than stock polling agents are left to the floor. */
export function createCoverage({ canary, stockMs, ...floors }: CoverageOptions): Coverage {
  const kinds = new Map<string, Kind>();
  const told = new LRUCache<string, { source: EventSource; receivedAt: number }>({ max: MAX_ITEMS });

  /** Whether another source had told of the same change before. When Config captures a change tells nothing of when it was. */
  const isDuplicate = (item: WorkItem, source: EventSource, at: number, receivedAt: number) => {
    const key = `${item.account}/${item.region}/${item.type}/${item.name}`;
    const first = told.get(key);
    const known = first && first.source !== source && receivedAt - first.receivedAt < DUPLICATE_MS;
    if (known && (source === "config" || at <= first.receivedAt)) return true;
    if (source !== "config") told.set(key, { source, receivedAt });
    return false;
  };
  const isProven = (seen: readonly number[]) => seen.length >= ENOUGH && p95(seen) < stockMs;
  /** What is not proven of a kind, and how well it is, where it is. */
  const proofOf = (place: string, type: ResourceType): { proven: boolean; text: string } => {
    const seen = lagsOf(kinds.get(`${place}/${type}`));
    if (seen.length < ENOUGH)
      return { proven: false, text: `${type}: ${seen.length} of ${ENOUGH} events seen` };
    const within = `95 of 100 events within ${(p95(seen) / 1_000).toFixed(1)} s`;
    if (isProven(seen)) return { proven: true, text: `${type}: ${within}` };
    return { proven: false, text: `${type}: ${within}, polling is as fast` };
  };
  const paceOf = (agent: string): AgentPace => {
    const { account, region, kind } = parseAgent(agent);
    const types = TOLD_BY.get(kind);
    if (types === undefined || account === undefined || region === undefined)
      return own("no event tells of what it caches");
    if (canary && !canary.includes(account)) return own("its account is not among --canary");
    const agentFloorMs = floorFor(agent, floors);
    // A site that polls more rarely than the floor has its own one.
    if (agentFloorMs <= stockMs) return own("its own pace is no faster than the floor");
    const proofs = types.map((type) => proofOf(`${account}/${region}`, type));
    const missing = proofs.find(({ proven }) => !proven);
    if (missing) return own(missing.text);
    return { floorMs: agentFloorMs, reason: proofs.map(({ text }) => text).join("; ") };
  };

  return {
    note(item, source, at, receivedAt) {
      const { account, region, type } = item;
      if (isGlobal(type)) return;
      const key = `${account}/${region}/${type}`;
      const kind = kinds.get(key) ?? { account, region, type, first: [], duplicates: new Map() };
      kinds.set(key, kind);
      const lagMs = receivedAt - at;
      if (isDuplicate(item, source, at, receivedAt))
        kind.duplicates.set(source, (kind.duplicates.get(source) ?? 0) + 1);
      // Its items come a second after they are captured, which may be minutes after the change: no proof.
      else if (source !== "config" || lagMs >= stockMs)
        kind.first = [...kind.first, { source, lagMs }].slice(-KEPT);
    },
    paceOf,
    floorOf(agent) {
      const { floorMs: intervalMs, reason } = paceOf(agent);
      return intervalMs === undefined
        ? undefined
        : { agents: agent, intervalMs, retryMs: stockMs, until: null, owner: SERVE, reason };
    },
    forget(place) {
      for (const [key, { account, region }] of kinds)
        if (!place || (account === place.account && region === place.region)) kinds.delete(key);
    },
    all: () =>
      [...kinds.values()].map((kind) => {
        const { account, region, type } = kind;
        const seen = lagsOf(kind);
        return {
          account,
          region,
          type,
          events: seen.length,
          p95Ms: p95(seen),
          proven: isProven(seen),
          sources: sourcesOf(kind),
        };
      }),
  };
}

/** What is known of a kind in an account and Region. */
interface Kind extends Pick<WorkItem, "account" | "region" | "type"> {
  first: readonly { source: EventSource; lagMs: number }[];
  duplicates: Map<EventSource, number>;
}

const lagsOf = (kind: Kind | undefined) => (kind?.first ?? []).map(({ lagMs }) => lagMs);

function sourcesOf({ first, duplicates }: Kind): CoveredSource[] {
  const sources = new Set([...first.map(({ source }) => source), ...duplicates.keys()]);
  return [...sources].map((source) => {
    const lags = first.flatMap((one) => (one.source === source ? [one.lagMs] : []));
    return { source, events: lags.length, p95Ms: p95(lags), duplicates: duplicates.get(source) ?? 0 };
  });
}

const own = (reason: string): AgentPace => ({ floorMs: undefined, reason });

/** What a message tells of how fast events arrive. */
export function noteSettled(coverage: Coverage, { fate, event }: Settled): void {
  if (!event || event.at <= 0) return;
  for (const item of fate.work ?? []) coverage.note(item, event.source, event.at, fate.receivedAt ?? 0);
}

const p95 = (values: readonly number[]) => percentile(values, 0.95) ?? 0;
