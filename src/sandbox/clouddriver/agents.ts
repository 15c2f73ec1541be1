import type { Inventory } from "../aws/inventory.ts";
import {
  classicPass,
  classicStatePass,
  clusterPass,
  functionPass,
  type Pass,
  plainPass,
  type Reading,
  type Site,
  securityGroupPass,
  silent,
  taskHealthPass,
  v2Pass,
} from "./passes.ts";

/** One AWS account of the sandbox's Clouddriver. */
export interface Account {
  name: string;
  /** 12 digits. */
  accountId: string;
  regions: readonly string[];
  /** What this account has, where accounts differ. */
  inventory?: Inventory;
  /** Default: aws. */
  provider?: "aws" | "ecs";
  /** What is switched on for it, beyond what every account has. */
  features?: readonly ("lambda" | "cloud-formation")[];
}

/** One agent of Clouddriver's scheduler. */
export interface Agent {
  /** Also the key of its lock. */
  type: string;
  /** Fully qualified class; absent on runnable agents, which introspection never shows. */
  provider?: string;
  /** Agents that bring their own interval and timeout (CustomScheduledAgent). */
  intervalMs?: number;
  timeoutMs?: number;
  read(): Reading;
}

const AWS = "com.netflix.spinnaker.clouddriver.aws.provider.AwsProvider";
const INFRASTRUCTURE = "com.netflix.spinnaker.clouddriver.aws.provider.AwsInfrastructureProvider";
const LAMBDA = "com.netflix.spinnaker.clouddriver.lambda.provider.LambdaProvider";
const ECS = "com.netflix.spinnaker.clouddriver.ecs.provider.EcsProvider";
const CORE = "com.netflix.spinnaker.clouddriver.core.provider.CoreProvider";
const MINUTE = 60_000;

/** `pass` is what fills the cache, or the AWS calls of an agent that fills nothing; times are minutes. */
type Row = readonly [
  name: string,
  provider: string | undefined,
  pass: Pass | readonly string[],
  ownInterval?: number,
  ownTimeout?: number,
];

const PER_ACCOUNT_AND_REGION: readonly Row[] = [
  ["ClusterCachingAgent", AWS, clusterPass],
  ["AmazonSecurityGroupCachingAgent", INFRASTRUCTURE, securityGroupPass],
  ["AmazonApplicationLoadBalancerCachingAgent", AWS, v2Pass],
  ["AmazonLoadBalancerCachingAgent", AWS, classicPass],
  ["AmazonLoadBalancerInstanceStateCachingAgent", AWS, classicStatePass],
  ["InstanceCachingAgent", AWS, plainPass("instance", ["ec2:DescribeInstances"])],
  ["LaunchConfigCachingAgent", AWS, ["autoscaling:DescribeLaunchConfigurations"]],
  [
    "AmazonLaunchTemplateCachingAgent",
    AWS,
    plainPass("launch-template", ["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"]),
  ],
  ["ImageCachingAgent/private", AWS, plainPass("image", ["ec2:DescribeImages"])],
  ["AmazonCertificateCachingAgent", AWS, plainPass("certificate", ["iam:ListServerCertificates"])],
  ["AmazonSubnetCachingAgent", INFRASTRUCTURE, plainPass("subnet", ["ec2:DescribeSubnets"])],
  ["AmazonVpcCachingAgent", INFRASTRUCTURE, plainPass("vpc", ["ec2:DescribeVpcs"])],
  ["AmazonElasticIpCachingAgent", INFRASTRUCTURE, plainPass("elastic-ip", ["ec2:DescribeAddresses"]), 5, 5],
  ["AmazonKeyPairCachingAgent", INFRASTRUCTURE, plainPass("key-pair", ["ec2:DescribeKeyPairs"]), 5, 5],
  ["ReservedInstancesCachingAgent", AWS, ["ec2:DescribeReservedInstances"], 10, 5],
];
const FEATURES: Readonly<Record<NonNullable<Account["features"]>[number], readonly Row[]>> = {
  "cloud-formation": [
    [
      "AmazonCloudFormationCachingAgent",
      INFRASTRUCTURE,
      plainPass("stack", ["cloudformation:DescribeStacks"]),
      1,
      2,
    ],
  ],
  lambda: [["LambdaCachingAgent", LAMBDA, functionPass]],
};
const ECS_AGENTS: readonly Row[] = [
  ["EcsClusterCachingAgent", ECS, ["ecs:ListClusters", "ecs:DescribeClusters"]],
  ["ServiceCachingAgent", ECS, plainPass("ecs-service", ["ecs:ListServices", "ecs:DescribeServices"])],
  ["TaskCachingAgent", ECS, ["ecs:ListTasks", "ecs:DescribeTasks"]],
  ["ContainerInstanceCachingAgent", ECS, ["ecs:ListContainerInstances"]],
  ["TaskDefinitionCachingAgent", ECS, ["ecs:DescribeTaskDefinition"]],
  ["ScalableTargetsCachingAgent", ECS, ["application-autoscaling:DescribeScalableTargets"]],
  [
    "TargetHealthCachingAgent",
    ECS,
    plainPass("ecs-target-health", ["elasticloadbalancing:DescribeTargetHealth"]),
  ],
  ["TaskHealthCachingAgent", ECS, taskHealthPass],
];
const GLOBAL: readonly Row[] = [
  ["aws/ClusterCleanupAgent", AWS, []],
  ["ProjectClustersCachingAgent", CORE, [], 1, 30],
  ["CleanupDetachedInstancesAgent", undefined, ["ec2:DescribeInstances"], 10, 20],
  ["CleanupPendingOnDemandCachesAgent", undefined, [], 30, 5],
];
/** One account caches what is the same for all of a Region. */
const perRegion = (account: string, region: string): readonly Row[] => [
  [`AmazonInstanceTypeCachingAgent/${region}`, INFRASTRUCTURE, ["ec2:DescribeInstanceTypes"]],
  [`${scope(account, region)}ImageCachingAgent/public`, AWS, ["ec2:DescribeImages"], 60],
];

/** Begins the name of every agent that belongs to one account and Region. */
export const scope = (account: string, region: string): string => `${account}/${region}/`;

/**
 * All agents of these accounts, named as in `ProviderHelpers.java`: for one account and Region the 21 whose
 * locks were seen on Clouddriver 5.90.0.
 */
export function createAgents(
  accounts: readonly Account[],
  world: Pick<Site, "cache" | "clock"> & { inventoryOf: (account: Account) => Inventory },
): Agent[] {
  const seen = new Set<string>();
  const places = accounts.flatMap((account) => account.regions.map((region) => ({ account, region })));
  return places.flatMap(({ account, region }, index) => {
    const { name, provider = "aws", features = [] } = account;
    const site = { ...world, account: name, region, inventory: world.inventoryOf(account) };
    const inPlace = (rows: readonly Row[]) =>
      rows.map(([kind, ...row]): Row => [scope(name, region) + kind, ...row]);
    if (provider === "ecs") return inPlace(ECS_AGENTS).map((row) => createAgent(row, site));
    const shared = [...(index === 0 ? GLOBAL : []), ...(seen.has(region) ? [] : perRegion(name, region))];
    seen.add(region);
    const own = inPlace([...PER_ACCOUNT_AND_REGION, ...features.flatMap((feature) => FEATURES[feature])]);
    const roles = features.includes("lambda") && region === account.regions[0] ? [rolesOf(name)] : [];
    return [
      ...[...shared, ...own].map((row) => createAgent(row, site)),
      ...roles.map((row) => createAgent(row, { ...site, region: "global" })),
    ];
  });
}

/** One agent for all Regions. */
const rolesOf = (account: string): Row => [
  `${account}/IamRoleCachingAgent`,
  LAMBDA,
  plainPass("iam-role", ["iam:ListRoles"]),
  30,
  5,
];

function createAgent([type, provider, pass, interval, timeout]: Row, site: Omit<Site, "agent">): Agent {
  return {
    type,
    ...(provider !== undefined && { provider }),
    ...(interval !== undefined && { intervalMs: interval * MINUTE }),
    ...(timeout !== undefined && { timeoutMs: timeout * MINUTE }),
    read: () => (typeof pass === "function" ? pass({ ...site, agent: type }) : silent(pass)),
  };
}
