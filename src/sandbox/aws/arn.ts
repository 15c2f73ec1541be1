import { createHash } from "node:crypto";

/** `arn:<partition>:<service>:<region>:<account>:<resource>`, the partition being the Region's. */
export function arn(service: string, region: string, account: string, resource: string): string {
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}

/** The Region named in an ARN, or "". */
export function arnRegion(text: string): string {
  return text.split(":")[3] ?? "";
}

/** The account named in an ARN, or "". */
export function arnAccount(text: string): string {
  return text.split(":")[4] ?? "";
}

/** The ARN of an Auto Scaling group; its UUID is derived from the name, so that every service gives the same. */
export function groupArn(region: string, account: string, name: string): string {
  const uuid = digest(`${region}/${name}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  return arn("autoscaling", region, account, `autoScalingGroup:${uuid}:autoScalingGroupName/${name}`);
}

/** The ARN of a balancer: ELBv2's carry the type and a hash, classic ones the name only. */
export function balancerArn(
  region: string,
  account: string,
  balancer: { name: string; type: string },
): string {
  const { name, type } = balancer;
  const path =
    type === "classic"
      ? name
      : `${type === "network" ? "net" : "app"}/${name}/${digest(`${region}/${name}`).slice(0, 16)}`;
  return arn("elasticloadbalancing", region, account, `loadbalancer/${path}`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
