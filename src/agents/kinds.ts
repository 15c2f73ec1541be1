interface Kind {
  provider: "aws" | "ecs";
  /**
   * The caching agents that hold the kind, by the last part of their agentType (clouddriver-aws ProviderHelpers,
   * clouddriver-ecs EcsCredentialsLifeCycleHandler), in rounds: each round reads what the one before has cached.
   */
  rounds: readonly (readonly string[])[];
  /** Every account of the provider has these agents; of others only those that are there are run when nothing is named. */
  always?: true;
  /** One agent serves all Regions of an account. */
  global?: true;
}

/** Kinds of resources that `aec` refreshes, as `--type` names them. */
const KINDS = {
  "server-group": { provider: "aws", rounds: [["ClusterCachingAgent"]], always: true },
  "security-group": { provider: "aws", rounds: [["AmazonSecurityGroupCachingAgent"]], always: true },
  // A balancer may be of either generation, each with its own agent.
  "load-balancer": {
    provider: "aws",
    rounds: [["AmazonApplicationLoadBalancerCachingAgent", "AmazonLoadBalancerCachingAgent"]],
    always: true,
  },
  "target-group": { provider: "aws", rounds: [["AmazonApplicationLoadBalancerCachingAgent"]] },
  instance: { provider: "aws", rounds: [["InstanceCachingAgent"]] },
  image: { provider: "aws", rounds: [["ImageCachingAgent/private"]] },
  "launch-template": { provider: "aws", rounds: [["AmazonLaunchTemplateCachingAgent"]] },
  subnet: { provider: "aws", rounds: [["AmazonSubnetCachingAgent"]] },
  vpc: { provider: "aws", rounds: [["AmazonVpcCachingAgent"]] },
  "key-pair": { provider: "aws", rounds: [["AmazonKeyPairCachingAgent"]] },
  "elastic-ip": { provider: "aws", rounds: [["AmazonElasticIpCachingAgent"]] },
  certificate: { provider: "aws", rounds: [["AmazonCertificateCachingAgent"]] },
  "iam-role": { provider: "aws", rounds: [["IamRoleCachingAgent"]], global: true },
  stack: { provider: "aws", rounds: [["AmazonCloudFormationCachingAgent"]] },
  function: { provider: "aws", rounds: [["LambdaCachingAgent"]] },
  // Services are looked for in the clusters that are cached, task definitions in the services that are. One without a
  // scalable target is not shown (EcsServerClusterProvider).
  "ecs-service": {
    provider: "ecs",
    rounds: [
      ["EcsClusterCachingAgent"],
      [
        "ServiceCachingAgent",
        "TaskCachingAgent",
        "ContainerInstanceCachingAgent",
        "ScalableTargetsCachingAgent",
      ],
      ["TaskDefinitionCachingAgent", "TaskHealthCachingAgent"],
    ],
    always: true,
  },
} as const satisfies Record<string, Kind>;

export type ResourceType = keyof typeof KINDS;
export const RESOURCE_TYPES = Object.keys(KINDS) as ResourceType[];

/** The part of a work item that its agents depend on. */
export interface Place {
  type: ResourceType;
  /** Spinnaker's name of the account. */
  account: string;
  region: string;
}

/** Stands for the Region of what belongs to a whole account. */
export const GLOBAL_REGION = "global";

/** Full agentTypes such as `prod/us-east-1/ClusterCachingAgent`; one round has to end before the next begins. */
export function agentRounds({ type, account, region }: Place): string[][] {
  const place = isGlobal(type) ? account : `${account}/${region}`;
  return KINDS[type].rounds.map((round) => round.map((agent) => `${place}/${agent}`));
}

/** The agents of a kind by the last part of their agentType. */
export function agentNames(type: ResourceType): readonly string[] {
  return KINDS[type].rounds.flat();
}

/** All agents of a kind in an account and Region. */
export function agentsOf(place: Place): string[] {
  return agentRounds(place).flat();
}

export function providerOf(type: ResourceType): "aws" | "ecs" {
  return KINDS[type].provider;
}

/** Whether one agent serves all Regions of an account. */
export function isGlobal(type: ResourceType): boolean {
  return "global" in KINDS[type];
}

/** Whether every account of the provider has the agents of the kind. */
export function isAlways(type: ResourceType): boolean {
  return "always" in KINDS[type];
}

/** The plain words for people: `server group`. */
export function typeName(type: ResourceType): string {
  return NAMES[type] ?? type.replace("-", " ");
}

const NAMES: Partial<Record<ResourceType, string>> = {
  stack: "CloudFormation stack",
  function: "Lambda function",
  vpc: "VPC",
  "elastic-ip": "elastic IP",
  "iam-role": "IAM role",
  "ecs-service": "ECS service",
};
