import { ofCall, ofGroup, ofInstance, type Told } from "../../test/real/aws-messages.ts";
import { elements } from "../../test/real/aws-query.ts";
import { createGroup, type FilledRegion } from "./inventory.ts";

/** One change of AWS: what it is, what AWS tells of it, and whether Clouddriver shows it. */
export interface Change {
  what: string;
  /** Makes it; resolves with what AWS tells of it. */
  make(): Promise<Told[]>;
  /** Stays true, whatever the deployment changes later. */
  shown(clouddriverUrl: string): Promise<boolean>;
}

/** The ten changes of a red-black deployment, and what the operators of that Region change meanwhile. */
export function deployment(
  { region, aws, targetGroups, securityGroups }: FilledRegion,
  number: number,
): Change[] {
  const targetGroup = targetGroups[number % targetGroups.length] ?? "";
  const securityGroup = securityGroups[number % securityGroups.length] ?? "";
  const balancer = `bench-alb-${number % targetGroups.length}`;
  const [first, second, old] = [
    `shop${number}-main-v001`,
    `shop${number}-main-v002`,
    `app${number}-main-v000`,
  ];
  const cidr = `10.${number}.0.0/16`;
  const path = `/healthy-${number}`;

  const instancesOf = async (name: string) =>
    elements(
      await aws.autoScaling("DescribeAutoScalingGroups", { "AutoScalingGroupNames.member.1": name }),
      "InstanceId",
    );
  const resize = async (name: string, desired: number): Promise<Told[]> => {
    const before = await instancesOf(name);
    await aws.autoScaling("SetDesiredCapacity", {
      AutoScalingGroupName: name,
      DesiredCapacity: String(desired),
    });
    const after = await instancesOf(name);
    return changed(name, before, after);
  };
  const changed = (name: string, before: readonly string[], after: readonly string[]): Told[] => [
    ...after
      .filter((id) => !before.includes(id))
      .flatMap((id) => [
        ofInstance(region, id, "running"),
        ofGroup(region, "EC2 Instance Launch Successful", name),
      ]),
    ...before
      .filter((id) => !after.includes(id))
      .flatMap((id) => [
        ofInstance(region, id, "terminated"),
        ofGroup(region, "EC2 Instance Terminate Successful", name),
      ]),
  ];
  const create = async (name: string): Promise<Told[]> => {
    await createGroup(aws, region, name, 1, targetGroup);
    return changed(name, [], await instancesOf(name));
  };
  const replaced = new Map<string, string>();
  const replace = async (name: string): Promise<Told[]> => {
    const before = await instancesOf(name);
    replaced.set(name, before[0] ?? "");
    await aws.autoScaling("TerminateInstanceInAutoScalingGroup", {
      InstanceId: before[0] ?? "",
      ShouldDecrementDesiredCapacity: "false",
    });
    // moto replaces it when it is looked at next.
    return changed(name, before, await instancesOf(name));
  };
  /** Undefined: Clouddriver does not have the group. */
  const cachedInstances = async (url: string, name: string): Promise<string[] | undefined> => {
    const group = await read<{ instances: { name: string }[] }>(
      url,
      `/serverGroups/default/${region}/${name}`,
    );
    return group?.instances.map((instance) => instance.name);
  };
  const has = (name: string, count: number) => async (url: string) =>
    ((await cachedInstances(url, name)) ?? []).length >= count;
  const hasReplaced = (name: string, count: number) => async (url: string) => {
    const ids = (await cachedInstances(url, name)) ?? [];
    return ids.length >= count && !ids.includes(replaced.get(name) ?? "");
  };

  return [
    {
      what: "security group changed",
      async make() {
        await aws.ec2("AuthorizeSecurityGroupIngress", {
          GroupId: securityGroup,
          "IpPermissions.1.IpProtocol": "tcp",
          "IpPermissions.1.FromPort": "443",
          "IpPermissions.1.ToPort": "443",
          "IpPermissions.1.IpRanges.1.CidrIp": cidr,
        });
        return [ofCall(region, "ec2", "AuthorizeSecurityGroupIngress", { groupId: securityGroup })];
      },
      async shown(url) {
        const group = await read(url, `/securityGroups/default/aws/${region}/${securityGroup}?getById=true`);
        // Clouddriver shows address and mask apart.
        return JSON.stringify(group ?? {}).includes(cidr.slice(0, -3));
      },
    },
    {
      what: "target group changed",
      async make() {
        await aws.elbV2("ModifyTargetGroup", { TargetGroupArn: targetGroup, HealthCheckPath: path });
        return [ofCall(region, "elasticloadbalancing", "ModifyTargetGroup", { targetGroupArn: targetGroup })];
      },
      async shown(url) {
        return JSON.stringify(
          (await read(url, `/aws/loadBalancers/default/${region}/${balancer}`)) ?? {},
        ).includes(path);
      },
    },
    { what: "group made", make: () => create(first), shown: has(first, 1) },
    { what: "group resized to 3", make: () => resize(first, 3), shown: has(first, 3) },
    { what: "instance replaced", make: () => replace(first), shown: hasReplaced(first, 3) },
    { what: "group made", make: () => create(second), shown: has(second, 1) },
    { what: "group resized to 2", make: () => resize(second, 2), shown: has(second, 2) },
    { what: "instance replaced", make: () => replace(second), shown: hasReplaced(second, 2) },
    {
      what: "old group resized to 0",
      make: () => resize(old, 0),
      shown: async (url) => ((await cachedInstances(url, old)) ?? []).length === 0,
    },
    {
      what: "old group deleted",
      async make() {
        await aws.autoScaling("DeleteAutoScalingGroup", { AutoScalingGroupName: old, ForceDelete: "true" });
        return [ofCall(region, "autoscaling", "DeleteAutoScalingGroup", { autoScalingGroupName: old })];
      },
      shown: async (url) => (await cachedInstances(url, old)) === undefined,
    },
  ];
}

/** Undefined: not found. */
export async function read<T = unknown>(url: string, path: string): Promise<T | undefined> {
  const answer = await fetch(url + path);
  if (answer.status === 404) {
    await answer.body?.cancel();
    return undefined;
  }
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return (await answer.json()) as T;
}
