import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../clock.ts";
import type { Resource, ResourceKind } from "../aws/inventory.ts";
import type { Keyspace } from "../redis/keyspace.ts";
import { parseServerGroupName } from "./frigga.ts";

interface EntryOf<K extends ResourceKind> {
  /** Clouddriver's cache key. */
  id: string;
  kind: K;
  account: string;
  region: string;
  /** The inventory's key: name, for security groups the id. */
  key: string;
  resource: Resource<K>;
}
/** One resource as it lies in the cache. */
export type Entry<K extends ResourceKind = ResourceKind> = { [P in K]: EntryOf<P> }[K];

/** What an on-demand refresh leaves behind for the next full pass. */
export interface OnDemandRecord {
  id: string;
  entry: Entry;
  cacheTime: number;
  /** Absent on load balancers' records. */
  processedCount?: number;
  processedTime?: number;
}

/** What became visible in the cache, or went; `resource` is absent where it went. */
interface Visible {
  kind: ResourceKind;
  account: string;
  region: string;
  key: string;
  resource?: Resource<ResourceKind>;
  at: number;
}

/** Clouddriver's Redis cache of what the sandbox's AWS has. */
export interface Cache {
  get<K extends ResourceKind>(kind: K, account: string, region: string, key: string): Resource<K> | undefined;
  all<K extends ResourceKind>(kind: K): Entry<K>[];
  /** When the cached content last changed, came or went. */
  changedAt(kind: ResourceKind, account: string, region: string, key: string): number | undefined;
  /** Answers the function that ends the subscription. */
  onVisible(listener: (visible: Visible) => void): () => void;
  /** Stores a partial result: nothing else is touched. */
  add(entries: readonly Entry[]): void;
  /** Stores an authoritative result: what `source` held before and does not hold now is evicted. */
  replace(source: string, entries: readonly Entry[]): void;
  evict(id: string): void;
  /** On-demand records by id, without those past their 10 minutes. */
  records(): ReadonlyMap<string, OnDemandRecord>;
  putRecord(record: OnDemandRecord): void;
  dropRecord(id: string): void;
}

/** Life of an on-demand record in the Redis cache (ClusterCachingAgent). */
export const RECORD_LIFE_MS = 600_000;

const caches = new WeakMap<Keyspace, Cache>();

/** The cache that lies in the same Redis as the locks: shared by nodes, outlives a restart. */
export function cacheOf(keyspace: Keyspace, clock: Clock): Cache {
  const cache = caches.get(keyspace) ?? createCache(clock);
  caches.set(keyspace, cache);
  return cache;
}

/** Clouddriver's cache key and content of one resource (`Keys.groovy` of clouddriver-aws). */
export function entryOf<K extends ResourceKind>(
  kind: K,
  account: string,
  region: string,
  resource: Resource<K>,
): Entry<K> {
  const [key, id] = identify({ kind, resource } as Identifiable, account, region);
  return { id, kind, account, region, key, resource: structuredClone(resource) } as Entry<K>;
}

/** The cache key of a server group. */
export function serverGroupKey(account: string, region: string, name: string): string {
  return `aws:serverGroups:${parseServerGroupName(name).cluster}:${account}:${region}:${name}`;
}

/** The cache key of a balancer; parts are joined unchecked, which is what makes the eviction trick work. */
export function loadBalancerKey(account: string, region: string, name: string, ...rest: string[]): string {
  return ["aws:loadBalancers", account, region, name, ...rest.filter((part) => part !== "")].join(":");
}

type Identifiable = { [K in ResourceKind]: { kind: K; resource: Resource<K> } }[ResourceKind];

function identify({ kind, resource }: Identifiable, account: string, region: string): [string, string] {
  switch (kind) {
    case "auto-scaling-group":
      return [resource.name, serverGroupKey(account, region, resource.name)];
    case "security-group":
      return [
        resource.id,
        `aws:securityGroups:${resource.name}:${resource.id}:${region}:${account}:${resource.vpcId}`,
      ];
    case "load-balancer": {
      const type = resource.type === "classic" ? "" : resource.type;
      return [resource.name, loadBalancerKey(account, region, resource.name, resource.vpcId, type)];
    }
    default:
      return [resource.id, `aws:${CACHED_AS[kind] ?? kind}:${account}:${region}:${resource.id}`];
  }
}

/** Names of caches that the search is asked for. */
const CACHED_AS: Partial<Record<ResourceKind, string>> = {
  instance: "instances",
  "target-group": "targetGroups",
};

function createCache(clock: Clock): Cache {
  const entries = new Map<string, Entry>();
  const sources = new Map<string, ReadonlySet<string>>();
  const records = new Map<string, OnDemandRecord>();
  const changes = new Map<string, number>();
  const listeners = new Set<(visible: Visible) => void>();

  const place = (kind: ResourceKind, account: string, region: string, key: string) =>
    [kind, account, region, key].join("|");
  const announce = ({ kind, account, region, key, resource }: Entry, visible: boolean) => {
    const at = clock.now();
    changes.set(place(kind, account, region, key), at);
    for (const listener of listeners)
      listener({ kind, account, region, key, at, ...(visible && { resource }) });
  };
  const put = (entry: Entry) => {
    const before = entries.get(entry.id);
    entries.set(entry.id, entry);
    if (!isDeepStrictEqual(before?.resource, entry.resource)) announce(entry, true);
  };
  const evict = (id: string) => {
    const entry = entries.get(id);
    if (entry && entries.delete(id)) announce(entry, false);
  };
  const all = <K extends ResourceKind>(kind: K) =>
    [...entries.values()].filter((entry) => entry.kind === kind) as Entry<K>[];

  return {
    all,
    evict,
    get: (kind, account, region, key) =>
      all(kind).find((entry) => entry.account === account && entry.region === region && entry.key === key)
        ?.resource,
    changedAt: (kind, account, region, key) => changes.get(place(kind, account, region, key)),
    onVisible(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    add: (added) => added.forEach(put),
    replace(source, replacing) {
      const ids = new Set(replacing.map(({ id }) => id));
      for (const id of sources.get(source) ?? []) if (!ids.has(id)) evict(id);
      sources.set(source, ids);
      replacing.forEach(put);
    },
    records() {
      for (const [id, { cacheTime }] of records)
        if (clock.now() > cacheTime + RECORD_LIFE_MS) records.delete(id);
      return records;
    },
    putRecord: (record) => void records.set(record.id, record),
    dropRecord: (id) => void records.delete(id),
  };
}
