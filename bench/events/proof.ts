import { ofCall, ofGroup, ofInstance, ofService, type Told } from "../../test/real/aws-messages.ts";
import { elements } from "../../test/real/aws-query.ts";
import { pause } from "./figures.ts";
import type { FilledRegion } from "./inventory.ts";

const ROUNDS = 6;
const ROUND_MS = 4_000;

/** Has each kind in each Region told often enough to be proven, each event as late as is said, ms. */
export async function prove(
  regions: readonly FilledRegion[],
  { publish, lateMs }: { publish(told: Told): Promise<unknown>; lateMs(told: Told, number: string): number },
): Promise<void> {
  const telling: Promise<unknown>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const events = (await Promise.all(regions.map(oneOfEach))).flat();
    for (const [index, told] of events.entries())
      telling.push(pause(lateMs(told, `${round}/${index}`)).then(() => publish(told)));
    await pause(ROUND_MS);
  }
  await Promise.all(telling);
}

/** One event of each kind that `serve` may leave to the floor, about what is there: it only has to arrive. */
async function oneOfEach({ region, aws, vpc, targetGroups, securityGroups }: FilledRegion): Promise<Told[]> {
  const first = (xml: string, name: string) => elements(xml, name)[0] ?? "";
  const instance = first(await aws.ec2("DescribeInstances"), "instanceId");
  const balancer = first(await aws.elbV2("DescribeLoadBalancers"), "LoadBalancerArn");
  const template = first(await aws.ec2("DescribeLaunchTemplates"), "launchTemplateId");
  const subnet = first(await aws.ec2("DescribeSubnets"), "subnetId");
  return [
    ofGroup(region, "EC2 Instance Launch Successful", "app49-main-v000"),
    ofInstance(region, instance, "running"),
    ofService(region, "aws.cloudformation", "CloudFormation Stack Status Change", {
      "stack-id": `arn:aws:cloudformation:${region}:123456789012:stack/none/0`,
      "status-details": { status: "DELETE_COMPLETE" },
    }),
    ofService(region, "aws.ec2", "EC2 AMI State Change", {
      ImageId: "ami-0123456789abcdef0",
      State: "deregistered",
    }),
    ofCall(region, "ec2", "AuthorizeSecurityGroupIngress", { groupId: securityGroups[0] }),
    ofCall(region, "ec2", "CreateLaunchTemplateVersion", {
      CreateLaunchTemplateVersionRequest: { LaunchTemplateId: template },
    }),
    ofCall(region, "ec2", "CreateKeyPair", { keyName: "none" }),
    ofCall(region, "ec2", "AllocateAddress", {}),
    ofCall(region, "ec2", "CreateSubnet", {}, { subnet: { subnetId: subnet } }),
    ofCall(region, "ec2", "CreateVpc", {}, { vpc: { vpcId: vpc } }),
    ofCall(region, "elasticloadbalancing", "ModifyListener", {
      listenerArn: `${balancer.replace(":loadbalancer/", ":listener/")}/0`,
    }),
    ofCall(region, "elasticloadbalancing", "ModifyTargetGroup", { targetGroupArn: targetGroups[0] }),
  ];
}
