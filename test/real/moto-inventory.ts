import {
  AuthorizeSecurityGroupIngressCommand,
  CreateKeyPairCommand,
  CreateLaunchTemplateCommand,
  CreateSecurityGroupCommand,
  CreateVpcCommand,
  DeleteKeyPairCommand,
  DeleteSecurityGroupCommand,
  DeleteVpcCommand,
  DescribeSubnetsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import type { PlainUnderTest } from "../contract/engine.ts";
import { awsQueries } from "./aws-query.ts";

/** Makes and changes what the contract suites need in moto. Auto Scaling has no client among the dependencies. */
export function motoInventory(url: string, region: string) {
  const ec2 = new EC2Client({
    endpoint: url,
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const { autoScaling, classicElb, elbV2, cloudFormation } = awsQueries(url, region);
  const subnets = async () => (await ec2.send(new DescribeSubnetsCommand({}))).Subnets ?? [];
  const balancers = new Map<string, string>();
  const exists = async (name: string) =>
    (await autoScaling("DescribeAutoScalingGroups", { "AutoScalingGroupNames.member.1": name })).includes(
      "<AutoScalingGroupARN>",
    );

  return {
    /** Instances of every new group come from this template. */
    createLaunchTemplate: () =>
      ec2.send(
        new CreateLaunchTemplateCommand({
          LaunchTemplateName: "contract",
          LaunchTemplateData: { ImageId: "ami-12c6146b", InstanceType: "t3.micro" },
        }),
      ),
    async group(name: string, desired: number) {
      const size = { AutoScalingGroupName: name, DesiredCapacity: String(desired) };
      if (await exists(name)) await autoScaling("UpdateAutoScalingGroup", size);
      else {
        await autoScaling("CreateAutoScalingGroup", {
          ...size,
          MinSize: "0",
          MaxSize: "10",
          "LaunchTemplate.LaunchTemplateName": "contract",
          "LaunchTemplate.Version": "$Latest",
          "AvailabilityZones.member.1": `${region}a`,
        });
      }
    },
    async removeGroup(name: string) {
      await autoScaling("DeleteAutoScalingGroup", { AutoScalingGroupName: name, ForceDelete: "true" });
    },
    async securityGroup(name: string): Promise<string> {
      const { GroupId } = await ec2.send(
        new CreateSecurityGroupCommand({ GroupName: name, Description: "contract" }),
      );
      return GroupId ?? "";
    },
    async allow(id: string, cidr: string) {
      const rule = { IpProtocol: "tcp", FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: cidr }] };
      await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: [rule] }));
    },
    async removeSecurityGroup(id: string) {
      await ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }));
    },
    async balancer(name: string, type: "application" | "classic") {
      if (type === "classic") {
        await classicElb("CreateLoadBalancer", {
          LoadBalancerName: name,
          "Listeners.member.1.Protocol": "http",
          "Listeners.member.1.LoadBalancerPort": "80",
          "Listeners.member.1.InstancePort": "80",
          "AvailabilityZones.member.1": `${region}a`,
        });
        return;
      }
      const [first, second] = await subnets();
      const answer = await elbV2("CreateLoadBalancer", {
        Name: name,
        Type: type,
        "Subnets.member.1": first?.SubnetId ?? "",
        "Subnets.member.2": second?.SubnetId ?? "",
      });
      balancers.set(name, /<LoadBalancerArn>([^<]+)/.exec(answer)?.[1] ?? "");
    },
    async changeBalancer(name: string) {
      const arn = balancers.get(name);
      if (arn === undefined) {
        await classicElb("CreateLoadBalancerListeners", {
          LoadBalancerName: name,
          "Listeners.member.1.Protocol": "http",
          "Listeners.member.1.LoadBalancerPort": "81",
          "Listeners.member.1.InstancePort": "81",
        });
        return;
      }
      await elbV2("CreateListener", {
        LoadBalancerArn: arn,
        Protocol: "HTTP",
        Port: "80",
        "DefaultActions.member.1.Type": "fixed-response",
        "DefaultActions.member.1.FixedResponseConfig.StatusCode": "404",
      });
    },
    async removeBalancer(name: string) {
      const arn = balancers.get(name);
      await (arn
        ? elbV2("DeleteLoadBalancer", { LoadBalancerArn: arn })
        : classicElb("DeleteLoadBalancer", { LoadBalancerName: name }));
    },
    async plain(kind: PlainUnderTest, name: string): Promise<string> {
      if (kind === "key-pair") {
        await ec2.send(new CreateKeyPairCommand({ KeyName: name }));
        return name;
      }
      if (kind === "vpc") {
        const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.99.0.0/16" }));
        return Vpc?.VpcId ?? "";
      }
      const Resources = { Queue: { Type: "AWS::SQS::Queue" } };
      await cloudFormation("CreateStack", { StackName: name, TemplateBody: JSON.stringify({ Resources }) });
      return name;
    },
    async removePlain(kind: PlainUnderTest, id: string) {
      if (kind === "key-pair") await ec2.send(new DeleteKeyPairCommand({ KeyName: id }));
      else if (kind === "vpc") await ec2.send(new DeleteVpcCommand({ VpcId: id }));
      else await cloudFormation("DeleteStack", { StackName: id });
    },
  };
}
