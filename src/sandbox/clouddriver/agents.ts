import type { Inventory } from "../aws/inventory.ts";
import {
  classicPass,
  classicStatePass,
  clusterPass,
  type Pass,
  type Reading,
  type Site,
  securityGroupPass,
  silent,
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
  ["InstanceCachingAgent", AWS, ["ec2:DescribeInstances"]],
  ["LaunchConfigCachingAgent", AWS, ["autoscaling:DescribeLaunchConfigurations"]],
  [
    "AmazonLaunchTemplateCachingAgent",
    AWS,
    ["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"],
  ],
  ["ImageCachingAgent/private", AWS, ["ec2:DescribeImages"]],
  ["AmazonCertificateCachingAgent", AWS, ["iam:ListServerCertificates"]],
  ["AmazonSubnetCachingAgent", INFRASTRUCTURE, ["ec2:DescribeSubnets"]],
  ["AmazonVpcCachingAgent", INFRASTRUCTURE, ["ec2:DescribeVpcs"]],
  ["AmazonElasticIpCachingAgent", INFRASTRUCTURE, ["ec2:DescribeAddresses"], 5, 5],
  ["AmazonKeyPairCachingAgent", INFRASTRUCTURE, ["ec2:DescribeKeyPairs"], 5, 5],
  ["ReservedInstancesCachingAgent", AWS, ["ec2:DescribeReservedInstances"], 10, 5],
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
    const site = { ...world, account: account.name, region, inventory: world.inventoryOf(account) };
    const shared = [
      ...(index === 0 ? GLOBAL : []),
      ...(seen.has(region) ? [] : perRegion(account.name, region)),
    ];
    seen.add(region);
    const own = PER_ACCOUNT_AND_REGION.map(
      ([name, ...row]): Row => [scope(account.name, region) + name, ...row],
    );
    return [...shared, ...own].map((row) => createAgent(row, site));
  });
}

function createAgent([type, provider, pass, interval, timeout]: Row, site: Omit<Site, "agent">): Agent {
  return {
    type,
    ...(provider !== undefined && { provider }),
    ...(interval !== undefined && { intervalMs: interval * MINUTE }),
    ...(timeout !== undefined && { timeoutMs: timeout * MINUTE }),
    read: () => (typeof pass === "function" ? pass({ ...site, agent: type }) : silent(pass)),
  };
}
