import {
  AutoScalingClient,
  paginateDescribeLaunchConfigurations,
  paginateDescribePolicies,
} from "@aws-sdk/client-auto-scaling";
import { EC2Client, paginateDescribeInstances, paginateDescribeLaunchTemplates } from "@aws-sdk/client-ec2";
import {
  ElasticLoadBalancingV2Client,
  paginateDescribeTargetGroups,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

/** How many there are of a kind in an account and Region. */
type Count = (context: Context, place: Place) => Promise<number>;

/** Counters of what nobody asks AWS for by name; each reads the largest pages that AWS gives. */
export const COUNTS = {
  instances: (context, place) => {
    const client = watchCalls(new EC2Client(clientConfig(context, place, "EC2")), context);
    return awsCall("ec2:DescribeInstances", () =>
      count(paginateDescribeInstances({ client, pageSize: 1_000 }, {}), ({ Reservations = [] }) =>
        Reservations.flatMap(({ Instances = [] }) => Instances),
      ),
    );
  },
  launchTemplates: (context, place) => {
    const client = watchCalls(new EC2Client(clientConfig(context, place, "EC2")), context);
    return awsCall("ec2:DescribeLaunchTemplates", () =>
      count(
        paginateDescribeLaunchTemplates({ client, pageSize: 200 }, {}),
        ({ LaunchTemplates }) => LaunchTemplates,
      ),
    );
  },
  launchConfigurations: (context, place) => {
    const client = watchCalls(new AutoScalingClient(clientConfig(context, place, "AUTO_SCALING")), context);
    return awsCall("autoscaling:DescribeLaunchConfigurations", () =>
      count(
        paginateDescribeLaunchConfigurations({ client, pageSize: 100 }, {}),
        ({ LaunchConfigurations }) => LaunchConfigurations,
      ),
    );
  },
  scalingPolicies: (context, place) => {
    const client = watchCalls(new AutoScalingClient(clientConfig(context, place, "AUTO_SCALING")), context);
    return awsCall("autoscaling:DescribePolicies", () =>
      count(
        paginateDescribePolicies({ client, pageSize: 100 }, {}),
        ({ ScalingPolicies }) => ScalingPolicies,
      ),
    );
  },
  targetGroups: (context, place) => {
    const config = clientConfig(context, place, "ELASTIC_LOAD_BALANCING_V2");
    const client = watchCalls(new ElasticLoadBalancingV2Client(config), context);
    return awsCall("elasticloadbalancing:DescribeTargetGroups", () =>
      count(paginateDescribeTargetGroups({ client, pageSize: 400 }, {}), ({ TargetGroups }) => TargetGroups),
    );
  },
} as const satisfies Record<string, Count>;

async function count<T>(
  pages: AsyncIterable<T>,
  of: (page: T) => readonly unknown[] | undefined,
): Promise<number> {
  let found = 0;
  for await (const page of pages) found += of(page)?.length ?? 0;
  return found;
}
