import type { Clock } from "../../clock.ts";
import type { Inventory } from "../aws/inventory.ts";
import { type Account, type Agent, scope } from "./agents.ts";
import {
  type Cache,
  type Entry,
  entryOf,
  loadBalancerKey,
  type OnDemandRecord,
  RECORD_LIFE_MS,
  serverGroupKey,
} from "./cache.ts";
import { parseServerGroupName } from "./frigga.ts";
import { isV2 } from "./passes.ts";

/** Ids by cache type: what a 202 lists. Undefined where Clouddriver answers 200 and an empty map. */
type Cached = Readonly<Record<string, readonly string[]>> | undefined;

/** Clouddriver's on-demand updater. */
export interface OnDemand {
  /** `POST /cache/{provider}/{type}`: never fails, whatever is asked for. */
  refresh(provider: string, type: string, data: Readonly<Record<string, unknown>>): Cached;
  /** `GET /cache/{provider}/{type}`: pending records, or the one with this id. */
  pending(provider: string, type: string, id: string | undefined): unknown[];
}

/** What the updater works on; `callAws` counts and is false when AWS answers 500. */
export interface OnDemandOptions {
  accounts: readonly Account[];
  agents: readonly Agent[];
  cache: Cache;
  clock: Clock;
  inventoryOf: (account: Account) => Inventory;
  callAws: (agent: string, calls: readonly string[]) => boolean;
}

interface Target {
  account: Account;
  region: string;
  /** Prefix of the agents' names. */
  prefix: string;
  inventory: Inventory;
}

/**
 * On-demand refresh as measured on Clouddriver 5.90.0 with the Redis cache, its faults included: see
 * real-clouddriver.md for the table that this follows.
 */
export function createOnDemand(options: OnDemandOptions): OnDemand {
  const { accounts, agents, cache, clock, callAws } = options;
  const record = (id: string, entry: Entry): OnDemandRecord => ({ id, entry, cacheTime: clock.now() });

  function refreshServerGroup({ account, region, prefix, inventory }: Target, name: string): Cached {
    const group = inventory.get("auto-scaling-group", region, name);
    const agent = `${prefix}ClusterCachingAgent`;
    if (!callAws(agent, group ? GROUP_CALLS : GROUP_CALLS.slice(0, 1))) return undefined;
    // The result claims authority under a source of its own: what that source held before is evicted.
    const source = `${agent}-OnDemand`;
    const id = serverGroupKey(account.name, region, name);
    if (!group) {
      cache.dropRecord(id);
      cache.replace(source, []);
      cache.evict(id);
      return undefined;
    }
    const entry = entryOf("auto-scaling-group", account.name, region, group);
    cache.putRecord({ ...record(id, entry), processedCount: 0 });
    cache.replace(source, [entry]);
    const { app, cluster } = parseServerGroupName(name);
    return {
      applications: [`aws:applications:${app}`],
      clusters: [`aws:clusters:${app}:${account.name}:${cluster}`],
      serverGroups: [id],
    };
  }

  function refreshSecurityGroups({ account, region, prefix }: Target): Cached {
    // Source and authority are the agent's own: one POST is one full pass.
    const agent = agents.find(({ type }) => type === `${prefix}AmazonSecurityGroupCachingAgent`);
    const reading = agent?.read();
    if (!agent || !reading || !callAws(agent.type, reading.calls)) return undefined;
    reading.store(clock.now());
    const ids = idsOf("security-group", account, region);
    return ids.length > 0 ? { securityGroups: ids } : undefined;
  }

  function refreshV2({ account, region, prefix, inventory }: Target, name: string): Cached {
    const found = inventory.get("load-balancer", region, name);
    const balancer = found && isV2(found) ? found : undefined;
    const agent = `${prefix}AmazonApplicationLoadBalancerCachingAgent`;
    // A balancer that is gone is a null pointer inside: nothing is evicted.
    if (!callAws(agent, balancer ? V2_CALLS : V2_CALLS.slice(0, 1)) || !balancer) return undefined;
    const entry = entryOf("load-balancer", account.name, region, balancer);
    cache.add([entry]);
    // The record takes its type from the request, so that a network balancer's has the wrong one.
    const id = loadBalancerKey(account.name, region, name, balancer.vpcId, "application");
    cache.putRecord(record(id, entry));
    return { loadBalancers: [entry.id] };
  }

  function refreshClassic(
    { account, region, prefix, inventory }: Target,
    name: string,
    vpcId: string,
  ): Cached {
    const classic = inventory.get("load-balancer", region, name)?.type === "classic";
    const agent = `${prefix}AmazonLoadBalancerCachingAgent`;
    const calls = classic ? CLASSIC_CALLS : CLASSIC_CALLS.slice(0, 1);
    // An existing one is an exception inside: it is never refreshed.
    if (callAws(agent, calls) && !classic) cache.evict(loadBalancerKey(account.name, region, name, vpcId));
    return undefined;
  }

  /** All services, tasks and definitions of the account and Region, whatever is named. */
  function refreshEcs({ account, region, prefix }: Target, named: unknown): Cached {
    const reading = agents
      .filter(({ type }) => ECS_ON_DEMAND.some((name) => type === prefix + name))
      .map((agent) => ({ agent, ...agent.read() }));
    for (const { agent, calls, store } of reading) if (callAws(agent.type, calls)) store(clock.now());
    const services = idsOf("ecs-service", account, region);
    const entry = cache.all("ecs-service").find(({ resource }) => resource.name === named);
    if (entry) cache.putRecord({ ...record(entry.id, entry), processedCount: 1, processedTime: clock.now() });
    return services.length > 0 ? { services } : undefined;
  }

  /** A partial result: the stack is there at once, one that is gone stays. */
  function refreshStack({ account, region, prefix, inventory }: Target, name: unknown): Cached {
    const stacks = inventory
      .list("stack", region)
      .filter((stack) => name === undefined || stack.name === name)
      .map((stack) => entryOf("stack", account.name, region, stack));
    if (!callAws(`${prefix}AmazonCloudFormationCachingAgent`, ["cloudformation:DescribeStacks"]))
      return undefined;
    cache.add(stacks);
    return stacks.length > 0 ? { stacks: stacks.map(({ id }) => id) } : undefined;
  }

  /** Only a record for the next pass; a function that is gone is evicted at once. */
  function refreshFunction({ account, region, prefix, inventory }: Target, name: string): Cached {
    if (!callAws(`${prefix}LambdaCachingAgent`, ["lambda:GetFunction"])) return undefined;
    const found = inventory.list("function", region).find((one) => one.name === name);
    if (found) {
      const entry = entryOf("function", account.name, region, found);
      cache.putRecord({ ...record(entry.id, entry), processedCount: 0 });
      return { onDemand: [entry.id] };
    }
    const cached = cache.all("function").find(({ resource }) => resource.name === name);
    if (cached) cache.evict(cached.id);
    return undefined;
  }

  const idsOf = (kind: Entry["kind"], account: Account, region: string) =>
    cache
      .all(kind)
      .filter((entry) => entry.account === account.name && entry.region === region)
      .map(({ id }) => id);

  return {
    refresh(provider, type, data) {
      const target = targetOf(data, options);
      if (provider !== (target?.account.provider ?? "aws") || !target) return undefined;
      if (provider === "ecs")
        return type.toLowerCase() === "servergroup" ? refreshEcs(target, data.serverGroupName) : undefined;
      const { serverGroupName, loadBalancerName, loadBalancerType, vpcId } = data;
      switch (type.toLowerCase()) {
        case "servergroup":
          return typeof serverGroupName === "string"
            ? refreshServerGroup(target, serverGroupName)
            : undefined;
        case "securitygroup":
          return refreshSecurityGroups(target);
        case "loadbalancer":
          if (typeof loadBalancerName !== "string") return undefined;
          return loadBalancerType === "application"
            ? refreshV2(target, loadBalancerName)
            : refreshClassic(target, loadBalancerName, typeof vpcId === "string" ? vpcId : "");
        case "cloudformation":
          return Array.isArray(data.region) ? refreshStack(target, data.stackName) : undefined;
        case "function":
          return typeof data.functionName === "string" && data.appName
            ? refreshFunction(target, data.functionName)
            : undefined;
        default:
          return undefined;
      }
    },
    pending(provider, type, id) {
      const of = (kind: Entry["kind"]) =>
        [...cache.records().values()].filter(
          ({ entry, ...rest }) => entry.kind === kind && (id === undefined || rest.id === id),
        );
      if (provider === "ecs")
        return type.toLowerCase() === "servergroup" ? of("ecs-service").map(pendingView) : [];
      if (provider !== "aws") return [];
      switch (type.toLowerCase()) {
        case "servergroup":
          return of("auto-scaling-group").map(pendingView);
        case "loadbalancer": {
          // Each v2 agent lists the records of all accounts and Regions.
          const views = of("load-balancer").map(pendingView);
          return id === undefined ? accounts.flatMap(({ regions }) => regions.flatMap(() => views)) : views;
        }
        case "function":
          return of("function").map(pendingView);
        default:
          return [];
      }
    },
  };
}

const GROUP_CALLS = [
  "autoscaling:DescribeAutoScalingGroups",
  "autoscaling:DescribePolicies",
  "autoscaling:DescribeScheduledActions",
  "ec2:DescribeSubnets",
];
const V2_CALLS = [
  "DescribeLoadBalancers",
  "DescribeTargetGroups",
  "DescribeTargetHealth",
  "DescribeTargetGroupAttributes",
  "DescribeListeners",
  "DescribeRules",
  "DescribeLoadBalancerAttributes",
].map((action) => `elasticloadbalancing:${action}`);
/** Those of ECS that handle a refresh on demand (AbstractEcsOnDemandAgent). */
const ECS_ON_DEMAND = [
  "ServiceCachingAgent",
  "TaskCachingAgent",
  "ContainerInstanceCachingAgent",
  "TaskDefinitionCachingAgent",
];
const CLASSIC_CALLS = [
  "elasticloadbalancing:DescribeLoadBalancers",
  "elasticloadbalancing:DescribeLoadBalancerAttributes",
];

function targetOf(
  data: Readonly<Record<string, unknown>>,
  { accounts, inventoryOf }: OnDemandOptions,
): Target | undefined {
  const account = accounts.find(({ name }) => name === (data.account ?? data.credentials));
  const wanted = Array.isArray(data.region) ? data.region : [data.region];
  const region = account?.regions.find((name) => wanted.includes(name));
  if (!account || region === undefined) return undefined;
  return { account, region, prefix: scope(account.name, region), inventory: inventoryOf(account) };
}

/** Null fields are left out, as Clouddriver's mapper does. */
function pendingView({ id, entry, cacheTime, processedCount, processedTime }: OnDemandRecord): unknown {
  const { account, region } = entry;
  const cacheExpiry = cacheTime + RECORD_LIFE_MS;
  const times = { cacheTime, cacheExpiry, processedCount, processedTime };
  if (entry.kind === "function") {
    const details = { provider: "aws", type: "lambdaFunctions", account, region };
    return { id, details: { ...details, awslambdaName: entry.resource.name }, ...times };
  }
  if (entry.kind === "ecs-service") {
    const details = { provider: "ecs", type: "serverGroup", account, region, serviceName: entry.key };
    return { id, details: { ...details, serverGroup: entry.key }, ...times };
  }
  if (entry.kind !== "auto-scaling-group") {
    const details = { provider: "aws", type: "loadBalancers", account, region, loadBalancer: entry.key };
    return { id, details: { ...details, loadBalancerType: "application" }, ...times };
  }
  const { app, cluster, stack, detail, sequence } = parseServerGroupName(entry.key);
  const details = { provider: "aws", type: "serverGroups", application: app, cluster, account, region };
  return {
    id,
    details: { ...details, serverGroup: entry.key, stack, detail, sequence },
    moniker: { app, cluster, stack, detail, sequence },
    ...times,
  };
}
