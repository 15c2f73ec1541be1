import { EC2Client, type IpPermission, paginateDescribeSecurityGroups } from "@aws-sdk/client-ec2";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

/** Paging chooses EC2's larger bucket of calls (EC2 developer guide, request throttling). */
const PAGE_SIZE = 1_000;

export interface SecurityGroup {
  id: string;
  name: string;
  ingress: IngressRule[];
}

/** Ports are absent in a rule for all of them. */
export interface IngressRule {
  protocol: string | undefined;
  from: number | undefined;
  to: number | undefined;
  /** A range of addresses, or the id of another group. */
  source: string;
}

/** All security groups of an account and Region. */
export function securityGroups(context: Context, place: Place): Promise<SecurityGroup[]> {
  const client = watchCalls(new EC2Client(clientConfig(context, place, "EC2")), context);
  return awsCall("ec2:DescribeSecurityGroups", async () => {
    const groups: SecurityGroup[] = [];
    const pages = paginateDescribeSecurityGroups({ client, pageSize: PAGE_SIZE }, {});
    for await (const { SecurityGroups = [] } of pages) {
      for (const { GroupId: id = "", GroupName: name = "", IpPermissions = [] } of SecurityGroups)
        groups.push({ id, name, ingress: IpPermissions.flatMap(rules) });
    }
    return groups;
  });
}

function rules({
  IpProtocol,
  FromPort,
  ToPort,
  IpRanges,
  Ipv6Ranges,
  UserIdGroupPairs,
}: IpPermission): IngressRule[] {
  const sources = [
    ...(IpRanges ?? []).map(({ CidrIp }) => CidrIp),
    ...(Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
    ...(UserIdGroupPairs ?? []).map(({ GroupId }) => GroupId),
  ];
  return sources.flatMap((source) =>
    source === undefined ? [] : { protocol: IpProtocol, from: FromPort, to: ToPort, source },
  );
}
