import { randomBytes } from "node:crypto";
import type { Clock } from "../../clock.ts";

/** One Auto Scaling group as the sandbox's AWS knows it. */
export interface AutoScalingGroup {
  name: string;
  min: number;
  max: number;
  desired: number;
  instanceIds: readonly string[];
  loadBalancers: readonly string[];
  /** Names. */
  targetGroups?: readonly string[];
}

/** One EC2 security group; `rules` are CIDR/port pairs such as `10.0.0.0/8:443`. */
export interface SecurityGroup {
  id: string;
  name: string;
  vpcId: string;
  rules: readonly string[];
}

/** One balancer; `classic` is ELB v1, the others are ELBv2. */
export interface LoadBalancer {
  name: string;
  type: "application" | "network" | "classic";
  vpcId: string;
  scheme: string;
  /** Of application and network balancers. */
  targetGroups?: readonly string[];
  /** Instances in its target groups that do not answer its health checks. */
  unhealthy?: readonly string[];
}

/** Something of which the sandbox knows no more than that it is there, and a state that may change. */
export interface Plain {
  /** As Clouddriver's views name it: an id of AWS's, or a name where that is one. */
  id: string;
  name: string;
  state: string;
}

/** Kinds that the sandbox keeps as plain things. */
export const PLAIN_KINDS = [
  "instance",
  "target-group",
  "image",
  "launch-template",
  "subnet",
  "vpc",
  "key-pair",
  "elastic-ip",
  "certificate",
  "iam-role",
  "stack",
  "function",
  "ecs-service",
  // As the balancer sees the tasks of the service of that name.
  "ecs-target-health",
  "ecs-task-health",
] as const;
export type PlainKind = (typeof PLAIN_KINDS)[number];

interface ResourceOf extends Record<PlainKind, Plain> {
  "auto-scaling-group": AutoScalingGroup;
  "security-group": SecurityGroup;
  "load-balancer": LoadBalancer;
}
export type ResourceKind = keyof ResourceOf;
export type Resource<K extends ResourceKind> = ResourceOf[K];

/** What happened to a resource; `before` is absent on creation, `after` on deletion. */
export interface Change<K extends ResourceKind = ResourceKind> {
  kind: K;
  region: string;
  /** ASG and balancer name, security group id. */
  key: string;
  before?: Resource<K>;
  after?: Resource<K>;
  /** Sandbox clock, ms since the epoch. */
  at: number;
}

/**
 * The resources of one AWS account. Reads are counted as AWS calls by whoever reads on behalf of a client
 * (see `calls`); `onChange` is how Config notifications learn of a change.
 */
export interface Inventory {
  list<K extends ResourceKind>(kind: K, region: string): Resource<K>[];
  get<K extends ResourceKind>(kind: K, region: string, key: string): Resource<K> | undefined;
  put<K extends ResourceKind>(kind: K, region: string, resource: Resource<K>): void;
  remove(kind: ResourceKind, region: string, key: string): void;
  onChange(listener: (change: Change) => void): void;
  /** Counts one AWS API call by `client` (an account of a Clouddriver, say) and returns nothing. */
  count(client: string, action: string): void;
  /** Calls counted so far, by client, then by action. */
  calls(): ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** A group of `desired` fresh instances, with room for ten. */
export function autoScalingGroup(name: string, desired: number): AutoScalingGroup {
  const instanceIds = Array.from({ length: desired }, () => awsId("i"));
  return { name, min: 0, max: 10, desired, instanceIds, loadBalancers: [] };
}

/** A fresh instance, security group or VPC id of AWS's shape, such as `i-0123456789abcdef0`. */
export function awsId(prefix: "i" | "sg" | "vpc"): string {
  return `${prefix}-0${randomBytes(8).toString("hex")}`;
}

/** An empty inventory on `clock`. */
export function createInventory(clock: Clock): Inventory {
  const stores = new Map<string, Map<string, Resource<ResourceKind>>>();
  const listeners: ((change: Change) => void)[] = [];
  const counts = new Map<string, Map<string, number>>();

  const store = (kind: ResourceKind, region: string) => {
    const id = `${kind}/${region}`;
    const found = stores.get(id) ?? new Map<string, Resource<ResourceKind>>();
    stores.set(id, found);
    return found;
  };
  const keyOf = (resource: Resource<ResourceKind>) => ("id" in resource ? resource.id : resource.name);
  const announce = (change: Change) => {
    for (const listener of listeners) listener(change);
  };

  return {
    list: <K extends ResourceKind>(kind: K, region: string) =>
      [...store(kind, region).values()] as Resource<K>[],
    get: <K extends ResourceKind>(kind: K, region: string, key: string) =>
      store(kind, region).get(key) as Resource<K> | undefined,
    put(kind, region, resource) {
      const key = keyOf(resource);
      const before = store(kind, region).get(key);
      store(kind, region).set(key, resource);
      announce({ kind, region, key, ...(before && { before }), after: resource, at: clock.now() });
    },
    remove(kind, region, key) {
      const before = store(kind, region).get(key);
      if (!before) return;
      store(kind, region).delete(key);
      announce({ kind, region, key, before, at: clock.now() });
    },
    onChange: (listener) => void listeners.push(listener),
    count(client, action) {
      const actions = counts.get(client) ?? new Map<string, number>();
      counts.set(client, actions.set(action, (actions.get(action) ?? 0) + 1));
    },
    calls: () => counts,
  };
}
