import { EC2Client, paginateDescribeSecurityGroups } from "@aws-sdk/client-ec2";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

/** Paging chooses EC2's larger bucket of calls (EC2 developer guide, request throttling). */
const PAGE_SIZE = 1_000;

/** Ids of all security groups of an account and Region. */
export function securityGroupIds(context: Context, place: Place): Promise<string[]> {
  const client = watchCalls(new EC2Client(clientConfig(context, place, "EC2")), context);
  return awsCall("ec2:DescribeSecurityGroups", async () => {
    const ids: string[] = [];
    for await (const { SecurityGroups = [] } of paginateDescribeSecurityGroups(
      { client, pageSize: PAGE_SIZE },
      {},
    )) {
      ids.push(...SecurityGroups.flatMap(({ GroupId }) => GroupId ?? []));
    }
    return ids;
  });
}
