import {
  AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  paginateDescribeAutoScalingGroups,
} from "@aws-sdk/client-auto-scaling";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

/** Groups of one answer, and names of one question, at the most (DescribeAutoScalingGroups). */
const PAGE_SIZE = 100;

/**
 * The Auto Scaling groups of an account and Region, or those of some names; one that is being deleted is gone, as for
 * Clouddriver.
 */
export function autoScalingGroups(
  context: Context,
  place: Place,
  names?: readonly string[],
): Promise<AutoScalingGroup[]> {
  const client = watchCalls(new AutoScalingClient(clientConfig(context, place, "AUTO_SCALING")), context);
  return awsCall("autoscaling:DescribeAutoScalingGroups", async () => {
    const groups: AutoScalingGroup[] = [];
    if (names !== undefined && names.length <= PAGE_SIZE) {
      const named = new DescribeAutoScalingGroupsCommand({
        AutoScalingGroupNames: [...names],
        MaxRecords: PAGE_SIZE,
      });
      groups.push(...((await client.send(named)).AutoScalingGroups ?? []));
    } else {
      const pages = paginateDescribeAutoScalingGroups({ client, pageSize: PAGE_SIZE }, {});
      for await (const { AutoScalingGroups = [] } of pages) groups.push(...AutoScalingGroups);
    }
    return groups.filter(({ Status }) => Status === undefined);
  });
}
