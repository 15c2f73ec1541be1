interface Kind {
  /** AWS calls of one pass, at the least: pages and calls for each resource come on top. */
  calls: number;
}

/**
 * Agents that only read AWS, by the kind in their agentType (clouddriver-aws ProviderHelpers, clouddriver-ecs
 * EcsCredentialsLifeCycleHandler). Anything else may change AWS, so that it is neither run nor held.
 */
const READERS: Readonly<Record<string, Kind>> = {
  ClusterCachingAgent: { calls: 5 },
  InstanceCachingAgent: { calls: 1 },
  LaunchConfigCachingAgent: { calls: 1 },
  AmazonLaunchTemplateCachingAgent: { calls: 2 },
  ImageCachingAgent: { calls: 1 },
  AmazonLoadBalancerCachingAgent: { calls: 1 },
  AmazonApplicationLoadBalancerCachingAgent: { calls: 2 },
  AmazonLoadBalancerInstanceStateCachingAgent: { calls: 1 },
  EddaLoadBalancerCachingAgent: { calls: 0 },
  ReservedInstancesCachingAgent: { calls: 1 },
  AmazonCertificateCachingAgent: { calls: 1 },
  AmazonCloudFormationCachingAgent: { calls: 1 },
  AmazonSecurityGroupCachingAgent: { calls: 1 },
  AmazonSubnetCachingAgent: { calls: 1 },
  AmazonVpcCachingAgent: { calls: 1 },
  AmazonElasticIpCachingAgent: { calls: 1 },
  AmazonKeyPairCachingAgent: { calls: 1 },
  AmazonInstanceTypeCachingAgent: { calls: 1 },
  LambdaCachingAgent: { calls: 1 },
  IamRoleCachingAgent: { calls: 1 },
  ServiceCachingAgent: { calls: 2 },
  TaskCachingAgent: { calls: 2 },
  ContainerInstanceCachingAgent: { calls: 2 },
  TaskDefinitionCachingAgent: { calls: 1 },
  EcsClusterCachingAgent: { calls: 1 },
  TaskHealthCachingAgent: { calls: 0 },
  TargetHealthCachingAgent: { calls: 1 },
  EcsCloudMetricAlarmCachingAgent: { calls: 1 },
  ScalableTargetsCachingAgent: { calls: 1 },
  SecretCachingAgent: { calls: 1 },
  ServiceDiscoveryCachingAgent: { calls: 1 },
};

/** The parts of an agentType; account and Region are absent where it has none. */
export interface AgentName {
  account: string | undefined;
  region: string | undefined;
  /** `ClusterCachingAgent`, `ImageCachingAgent/private`. */
  kind: string;
}

/** Reads `ACCOUNT/REGION/KIND`, `KIND/REGION`, `ACCOUNT/KIND` and `KIND`; a kind may end in `/private` and the like. */
export function parseAgent(agent: string): AgentName {
  const parts = agent.split("/");
  const at = parts.findIndex((part) => part.endsWith("Agent"));
  const kindAt = at === -1 ? parts.length - 1 : at;
  const [account, region] = parts.slice(0, kindAt);
  const kind = parts.slice(kindAt).join("/");
  const trailing = parts[kindAt + 1];
  return {
    account,
    region: region ?? (trailing && /-\d+$/.test(trailing) ? trailing : undefined),
    kind,
  };
}

/** Whether an agent is known to do nothing but read AWS into the cache. */
export function onlyReads(agent: string): boolean {
  return Object.hasOwn(READERS, baseKind(agent));
}

/** AWS calls of one pass, at the least; undefined for what is not known. */
export function callsPerPass(agent: string): number | undefined {
  return Object.hasOwn(READERS, baseKind(agent)) ? READERS[baseKind(agent)]?.calls : undefined;
}

function baseKind(agent: string): string {
  return parseAgent(agent).kind.split("/")[0] ?? "";
}
