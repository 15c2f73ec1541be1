/** Kinds of resources that `aec` refreshes, as `--type` names them. */
export const RESOURCE_TYPES = ["server-group", "security-group", "load-balancer"] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/**
 * The caching agents of one account and Region that hold a kind, by the last part of their agentType
 * (clouddriver-aws, ProviderHelpers). A balancer may be of either generation, each with its own agent.
 */
const AGENTS: Record<ResourceType, readonly string[]> = {
  "server-group": ["ClusterCachingAgent"],
  "security-group": ["AmazonSecurityGroupCachingAgent"],
  "load-balancer": ["AmazonApplicationLoadBalancerCachingAgent", "AmazonLoadBalancerCachingAgent"],
};

/** Full agentTypes such as `prod/us-east-1/ClusterCachingAgent`. */
export function agentsOf(type: ResourceType, account: string, region: string): string[] {
  return AGENTS[type].map((agent) => `${account}/${region}/${agent}`);
}

/** The plain words for people: `server group`. */
export function typeName(type: ResourceType): string {
  return type.replace("-", " ");
}
