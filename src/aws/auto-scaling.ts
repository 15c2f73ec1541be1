import { AutoScalingClient, paginateDescribeAutoScalingGroups } from "@aws-sdk/client-auto-scaling";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

const PAGE_SIZE = 100;

/** Names of all Auto Scaling groups of an account and Region. */
export function groupNames(context: Context, place: Place): Promise<string[]> {
  const client = watchCalls(new AutoScalingClient(clientConfig(context, place, "AUTO_SCALING")), context);
  return awsCall("autoscaling:DescribeAutoScalingGroups", async () => {
    const names: string[] = [];
    const pages = paginateDescribeAutoScalingGroups(
      { client, pageSize: PAGE_SIZE },
      { IncludeInstances: false },
    );
    for await (const { AutoScalingGroups = [] } of pages) {
      names.push(...AutoScalingGroups.flatMap(({ AutoScalingGroupName }) => AutoScalingGroupName ?? []));
    }
    return names;
  });
}
