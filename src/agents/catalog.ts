/**
 * Agents that only read AWS, by the kind in their agentType (clouddriver-aws ProviderHelpers, clouddriver-ecs
 * EcsCredentialsLifeCycleHandler). Anything else may change AWS, so that it is neither run nor held.
 * The number is that of the AWS calls of one pass, at the least: pages and calls for each resource come on top.
 */
const READERS: Readonly<Record<string, number>> = {
  ClusterCachingAgent: 5,
  InstanceCachingAgent: 1,
  LaunchConfigCachingAgent: 1,
  AmazonLaunchTemplateCachingAgent: 2,
  ImageCachingAgent: 1,
  AmazonLoadBalancerCachingAgent: 1,
  AmazonApplicationLoadBalancerCachingAgent: 2,
  AmazonLoadBalancerInstanceStateCachingAgent: 1,
  EddaLoadBalancerCachingAgent: 0,
  ReservedInstancesCachingAgent: 1,
  AmazonCertificateCachingAgent: 1,
  AmazonCloudFormationCachingAgent: 1,
  AmazonSecurityGroupCachingAgent: 1,
  AmazonSubnetCachingAgent: 1,
  AmazonVpcCachingAgent: 1,
  AmazonElasticIpCachingAgent: 1,
  AmazonKeyPairCachingAgent: 1,
  AmazonInstanceTypeCachingAgent: 1,
  LambdaCachingAgent: 1,
  IamRoleCachingAgent: 1,
  ServiceCachingAgent: 2,
  TaskCachingAgent: 2,
  ContainerInstanceCachingAgent: 2,
  TaskDefinitionCachingAgent: 1,
  EcsClusterCachingAgent: 1,
  TaskHealthCachingAgent: 0,
  TargetHealthCachingAgent: 1,
  EcsCloudMetricAlarmCachingAgent: 1,
  ScalableTargetsCachingAgent: 1,
  SecretCachingAgent: 1,
  ServiceDiscoveryCachingAgent: 1,
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
  return Object.hasOwn(READERS, baseKind(agent)) ? READERS[baseKind(agent)] : undefined;
}

function baseKind(agent: string): string {
  return parseAgent(agent).kind.split("/")[0] ?? "";
}
