import type { Clock } from "../../clock.ts";
import type { Inventory, LoadBalancer, PlainKind, ResourceKind } from "../aws/inventory.ts";
import { type Cache, type Entry, entryOf } from "./cache.ts";

/** What one run read from AWS when it started, and how it is stored when it ends. */
export interface Reading {
  /** AWS calls as `<service>:<Action>`. */
  calls: readonly string[];
  store(startedAt: number): { additions: number; evictions: number };
}

/** One agent's piece of the world. */
export interface Site {
  /** The agent's type: also the source under which it stores. */
  agent: string;
  account: string;
  region: string;
  inventory: Inventory;
  cache: Cache;
  clock: Clock;
}

/** One run of one agent, up to the moment at which it has read AWS. */
export type Pass = (site: Site) => Reading;

/** Full pass of ClusterCachingAgent: an on-demand record that no pass has processed wins over AWS. */
export const clusterPass: Pass = (site) => {
  const { agent, account, region, cache, clock } = site;
  const groups = read(site, "auto-scaling-group");
  return {
    calls: [
      ...pages("autoscaling:DescribeAutoScalingGroups", groups.length, 100),
      "autoscaling:DescribePolicies",
      "monitoring:DescribeAlarms",
      "autoscaling:DescribeScheduledActions",
      "ec2:DescribeSubnets",
    ],
    store(startedAt) {
      const pending = [...cache.records().values()].filter(
        ({ entry }) =>
          entry.kind === "auto-scaling-group" && entry.account === account && entry.region === region,
      );
      const kept = new Map<string, Entry>();
      for (const record of pending) {
        const { id, entry, cacheTime, processedCount = 0 } = record;
        if (cacheTime < startedAt && processedCount > 0) cache.dropRecord(id);
        else {
          kept.set(id, entry);
          cache.putRecord({ ...record, processedCount: processedCount + 1, processedTime: clock.now() });
        }
      }
      const entries = groups.map((group) => kept.get(group.id) ?? group);
      cache.replace(agent, entries);
      return { additions: entries.length, evictions: pending.length - kept.size };
    },
  };
};

/** Full pass of AmazonSecurityGroupCachingAgent. */
export const securityGroupPass: Pass = (site) =>
  stored(site, ["ec2:DescribeSecurityGroups"], read(site, "security-group"));

/** Full pass of AmazonLoadBalancerCachingAgent: one call each on top of the list. */
export const classicPass: Pass = (site) => {
  const balancers = readBalancers(site, (balancer) => !isV2(balancer));
  const attributes = balancers.map(() => `${ELB}DescribeLoadBalancerAttributes`);
  return stored(
    site,
    [...pages(`${ELB}DescribeLoadBalancers`, balancers.length, 400), ...attributes],
    balancers,
  );
};

/** Full pass of AmazonLoadBalancerInstanceStateCachingAgent: one call for each classic balancer. */
export const classicStatePass: Pass = (site) =>
  silent(readBalancers(site, (balancer) => !isV2(balancer)).map(() => `${ELB}DescribeInstanceHealth`));

/** Full pass of AmazonApplicationLoadBalancerCachingAgent: only a record younger than the pass wins. */
export const v2Pass: Pass = (site) => {
  const { agent, cache } = site;
  const balancers = readBalancers(site, isV2);
  const lists = ["DescribeLoadBalancers", "DescribeTargetGroups"];
  return {
    calls: [
      ...lists.flatMap((action) => pages(ELB + action, balancers.length, 400)),
      ...balancers.flatMap(() => EACH_V2.map((action) => ELB + action)),
    ],
    store(startedAt) {
      const pending = balancers.flatMap(({ id }) => cache.records().get(id) ?? []);
      const stale = pending.filter(({ cacheTime }) => cacheTime < startedAt);
      for (const { id } of stale) cache.dropRecord(id);
      const entries = balancers.map((balancer) => cache.records().get(balancer.id)?.entry ?? balancer);
      cache.replace(agent, entries);
      return { additions: entries.length, evictions: stale.length };
    },
  };
};

/** Full pass of an agent that caches one plain kind. */
export const plainPass =
  (kind: PlainKind, calls: readonly string[]): Pass =>
  (site) =>
    stored(site, calls, kind === "instance" ? readInstances(site) : read(site, kind));

/** Full pass of LambdaCachingAgent: it processes the records of the functions that were asked for. */
export const functionPass: Pass = (site) => {
  const { cache, account, region, clock } = site;
  const { calls, store } = stored(site, ["lambda:ListFunctions"], read(site, "function"));
  return {
    calls,
    store(startedAt) {
      for (const record of [...cache.records().values()]) {
        const { id, entry, cacheTime, processedCount = 0 } = record;
        if (entry.kind !== "function" || entry.account !== account || entry.region !== region) continue;
        if (cacheTime < startedAt && processedCount > 0) cache.dropRecord(id);
        else cache.putRecord({ ...record, processedCount: processedCount + 1, processedTime: clock.now() });
      }
      return store(startedAt);
    },
  };
};

/** Full pass of TaskHealthCachingAgent: it asks AWS for nothing, and takes what is cached of target health. */
export const taskHealthPass: Pass = (site) => {
  const { cache, account, region } = site;
  const seen = cache
    .all("ecs-target-health")
    .filter((one) => one.account === account && one.region === region);
  return stored(
    site,
    [],
    seen.map(({ resource }) => entryOf("ecs-task-health", account, region, resource)),
  );
};

/** The instances of all groups. */
function readInstances({ inventory, account, region }: Site): Entry<"instance">[] {
  return inventory
    .list("auto-scaling-group", region)
    .flatMap(({ instanceIds }) => instanceIds)
    .map((id) => entryOf("instance", account, region, { id, name: id, state: "running" }));
}

/** A pass that costs calls and stores nothing that the sandbox shows. */
export function silent(calls: readonly string[]): Reading {
  return { calls, store: () => ({ additions: 0, evictions: 0 }) };
}

/** Application and network balancers, which one agent caches. */
export const isV2 = ({ type }: LoadBalancer): boolean => type !== "classic";

const ELB = "elasticloadbalancing:";
const EACH_V2 = [
  "DescribeLoadBalancerAttributes",
  "DescribeTargetHealth",
  "DescribeTargetGroupAttributes",
  "DescribeListeners",
  "DescribeRules",
];

function read<K extends ResourceKind>({ inventory, account, region }: Site, kind: K): Entry<K>[] {
  return inventory.list(kind, region).map((resource) => entryOf(kind, account, region, resource));
}

function readBalancers(site: Site, wanted: (balancer: LoadBalancer) => boolean): Entry<"load-balancer">[] {
  return read(site, "load-balancer").filter(({ resource }) => wanted(resource));
}

function stored({ agent, cache }: Site, calls: readonly string[], entries: readonly Entry[]): Reading {
  return {
    calls,
    store() {
      cache.replace(agent, entries);
      return { additions: entries.length, evictions: 0 };
    },
  };
}

function pages(action: string, items: number, perPage: number): string[] {
  return Array.from({ length: Math.max(1, Math.ceil(items / perPage)) }, () => action);
}
