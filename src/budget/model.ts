import { ownIntervalMs } from "../polling/own-intervals.ts";

/** How much there is in one account and Region: what a pass costs depends on it. */
export interface Inventory {
  serverGroups: number;
  instances: number;
  launchConfigurations: number;
  launchTemplates: number;
  /** Second-generation balancers. */
  loadBalancers: number;
  listeners: number;
  targetGroups: number;
  classicLoadBalancers: number;
  scalingPolicies: number;
  alarms: number;
  /** Only where Clouddriver caches stacks. */
  stacks: number;
  /** Only where Clouddriver caches functions. */
  functions: number;
}

/** AWS API whose calls share a token bucket. */
export type Api = "EC2" | "ELB v2" | "ELB classic" | "Auto Scaling" | "CloudWatch" | "others";

interface AgentCost {
  /** The last part of the agentType. */
  agent: string;
  /** AWS calls of one pass. */
  calls: Partial<Record<Api, number>>;
}

const pages = (items: number, perPage: number) => Math.max(1, Math.ceil(items / perPage));

/** AWS has some nine hundred types, a hundred to a page. */
const INSTANCE_TYPE_PAGES = 9;

/**
 * The calls of one pass of each agent (clouddriver-aws and -lambda: page sizes and calls for each resource). What is
 * read once in each Region, whatever the accounts, belongs to the first of them.
 */
export function passCosts(of: Inventory, firstOfRegion: boolean): AgentCost[] {
  return [
    ...(firstOfRegion
      ? [
          { agent: "AmazonInstanceTypeCachingAgent", calls: { EC2: INSTANCE_TYPE_PAGES } },
          { agent: "ImageCachingAgent/public", calls: { EC2: 1 } },
        ]
      : []),
    {
      agent: "ClusterCachingAgent",
      calls: {
        "Auto Scaling": pages(of.serverGroups, 100) + pages(of.scalingPolicies, 50) + 1,
        CloudWatch: pages(of.alarms, 100),
        EC2: 1,
      },
    },
    { agent: "InstanceCachingAgent", calls: { EC2: pages(of.instances, 500) } },
    { agent: "LaunchConfigCachingAgent", calls: { "Auto Scaling": pages(of.launchConfigurations, 50) } },
    { agent: "AmazonLaunchTemplateCachingAgent", calls: { EC2: 2 * pages(of.launchTemplates, 200) } },
    { agent: "ImageCachingAgent/private", calls: { EC2: 1 } },
    {
      agent: "AmazonApplicationLoadBalancerCachingAgent",
      calls: {
        // Attributes and listeners of each balancer, health and attributes of each target group, rules of each listener.
        "ELB v2":
          pages(of.loadBalancers, 400) +
          pages(of.targetGroups, 400) +
          2 * of.loadBalancers +
          2 * of.targetGroups +
          of.listeners,
      },
    },
    {
      agent: "AmazonLoadBalancerCachingAgent",
      calls: { "ELB classic": pages(of.classicLoadBalancers, 400) + of.classicLoadBalancers },
    },
    {
      agent: "AmazonLoadBalancerInstanceStateCachingAgent",
      calls: { "ELB classic": of.classicLoadBalancers },
    },
    { agent: "AmazonSecurityGroupCachingAgent", calls: { EC2: 1 } },
    { agent: "AmazonSubnetCachingAgent", calls: { EC2: 1 } },
    { agent: "AmazonVpcCachingAgent", calls: { EC2: 1 } },
    { agent: "AmazonCertificateCachingAgent", calls: { others: 1 } },
    { agent: "AmazonElasticIpCachingAgent", calls: { EC2: 1 } },
    { agent: "AmazonKeyPairCachingAgent", calls: { EC2: 1 } },
    { agent: "ReservedInstancesCachingAgent", calls: { EC2: 1 } },
    ...(of.stacks > 0
      ? [{ agent: "AmazonCloudFormationCachingAgent", calls: { others: 1 + of.stacks } }]
      : []),
    ...(of.functions > 0
      ? [{ agent: "LambdaCachingAgent", calls: { others: pages(of.functions, 50) + 5 * of.functions } }]
      : []),
  ];
}

/** Clouddriver's own limiter: calls a second of one client, account and Region (ServiceLimitConfiguration). */
const LIMITER_PER_SECOND = 10;
/** Its scheduler looks once a second, so that an interval of 30 s is a period of 31 (measured). */
const TICK_MS = 1_000;

/** Calls a minute of each API, when agents start so often; those with an interval of their own keep it, unless it is longer. */
export function callsPerMinute(
  costs: readonly AgentCost[],
  intervalOf: (agent: string) => number,
): Record<Api, number> {
  const total: Record<Api, number> = {
    EC2: 0,
    "ELB v2": 0,
    "ELB classic": 0,
    "Auto Scaling": 0,
    CloudWatch: 0,
    others: 0,
  };
  for (const { agent, calls } of costs) {
    const intervalMs = Math.max(intervalOf(agent), ownIntervalMs(`a/r/${agent}`) ?? 0);
    const longest = Math.max(...Object.values(calls)) / LIMITER_PER_SECOND;
    const periodMs = Math.max(intervalMs, longest * 1_000) + TICK_MS;
    for (const [api, count] of Object.entries(calls) as [Api, number][])
      total[api] += (count * 60_000) / periodMs;
  }
  return total;
}

/** What AWS refills a minute, for reads of one account and Region (throttling pages of EC2 and ELB). */
export const REFILL_PER_MINUTE: Partial<Record<Api, number>> = {
  EC2: 1_200,
  "ELB v2": 600,
  "ELB classic": 600,
};
