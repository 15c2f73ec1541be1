import type { AwsCall } from "../../test/real/clouddriver/aws-proxy.ts";

const V2 = "2015-12-01";

/** Whose call it is, as far as calls tell: agents share some. */
export function agentOf({ service, action, params }: AwsCall): string {
  if (service === "elasticloadbalancing") {
    if (params.Version === V2) return "v2 balancers";
    return action === "DescribeInstanceHealth" ? "classic instance state" : "classic balancers";
  }
  if (service === "autoscaling" || service === "monitoring")
    return action === "DescribeLaunchConfigurations" ? "the others" : "cluster";
  if (action === "DescribeInstances") return "instances";
  if (action === "DescribeSecurityGroups") return "security groups";
  if (action.startsWith("DescribeLaunchTemplate")) return "launch templates";
  return "the others";
}

export const AGENTS = [
  "v2 balancers",
  "classic balancers",
  "cluster",
  "classic instance state",
  "launch templates",
  "instances",
  "security groups",
  "the others",
];
