import { awsQueries, elements } from "../../test/real/aws-query.ts";

const GROUPS = 50;
const SECURITY_GROUPS = 20;
const BALANCERS = 10;
const CLASSIC_BALANCERS = 5;

/** Makes in one Region of moto what a Spinnaker site has there; resolves with what a deployment there works on. */
export async function fillRegion(motoUrl: string, region: string) {
  const aws = awsQueries(motoUrl, region);
  await aws.ec2("CreateLaunchTemplate", {
    LaunchTemplateName: "bench",
    "LaunchTemplateData.ImageId": "ami-12c6146b",
    "LaunchTemplateData.InstanceType": "t3.micro",
  });
  const [vpc = ""] = elements(await aws.ec2("DescribeVpcs"), "vpcId");
  const subnets = elements(await aws.ec2("DescribeSubnets"), "subnetId");
  const targetGroups: string[] = [];
  for (let index = 0; index < BALANCERS; index += 1) {
    const balancer = await aws.elbV2("CreateLoadBalancer", {
      Name: `bench-alb-${index}`,
      Type: "application",
      "Subnets.member.1": subnets[0] ?? "",
      "Subnets.member.2": subnets[1] ?? "",
    });
    const group = await aws.elbV2("CreateTargetGroup", {
      Name: `bench-tg-${index}`,
      Protocol: "HTTP",
      Port: "80",
      VpcId: vpc,
      TargetType: "instance",
    });
    const [arn = ""] = elements(group, "TargetGroupArn");
    targetGroups.push(arn);
    await aws.elbV2("CreateListener", {
      LoadBalancerArn: elements(balancer, "LoadBalancerArn")[0] ?? "",
      Protocol: "HTTP",
      Port: "80",
      "DefaultActions.member.1.Type": "forward",
      "DefaultActions.member.1.TargetGroupArn": arn,
    });
  }
  for (let index = 0; index < CLASSIC_BALANCERS; index += 1) {
    await aws.classicElb("CreateLoadBalancer", {
      LoadBalancerName: `bench-classic-${index}`,
      "Listeners.member.1.Protocol": "http",
      "Listeners.member.1.LoadBalancerPort": "80",
      "Listeners.member.1.InstancePort": "80",
      "AvailabilityZones.member.1": `${region}a`,
    });
  }
  const securityGroups: string[] = [];
  for (let index = 0; index < SECURITY_GROUPS; index += 1) {
    const made = await aws.ec2("CreateSecurityGroup", {
      GroupName: `bench-${index}`,
      GroupDescription: "bench",
      VpcId: vpc,
    });
    securityGroups.push(elements(made, "groupId")[0] ?? "");
  }
  for (let index = 0; index < GROUPS; index += 1) {
    await createGroup(aws, region, `app${index}-main-v000`, 1, targetGroups[index % BALANCERS] ?? "");
  }
  return { region, aws, vpc, targetGroups, securityGroups };
}

export type FilledRegion = Awaited<ReturnType<typeof fillRegion>>;

export async function createGroup(
  { autoScaling }: FilledRegion["aws"],
  region: string,
  name: string,
  desired: number,
  targetGroup: string,
): Promise<void> {
  await autoScaling("CreateAutoScalingGroup", {
    AutoScalingGroupName: name,
    DesiredCapacity: String(desired),
    MinSize: "0",
    MaxSize: "10",
    "LaunchTemplate.LaunchTemplateName": "bench",
    "LaunchTemplate.Version": "$Latest",
    "AvailabilityZones.member.1": `${region}a`,
    "TargetGroupARNs.member.1": targetGroup,
  });
}
