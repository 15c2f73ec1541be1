import {
  AuthorizeSecurityGroupIngressCommand,
  CreateLaunchTemplateCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";

/** Makes and changes what the contract suites need in moto. Auto Scaling has no client among the dependencies. */
export function motoInventory(url: string, region: string) {
  const ec2 = new EC2Client({
    endpoint: url,
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const autoScaling = async (action: string, params: Record<string, string>) => {
    const scope = `test/20260101/${region}/autoscaling/aws4_request`;
    const response = await fetch(url, {
      method: "POST",
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ Action: action, Version: "2011-01-01", ...params }).toString(),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${action} answered ${response.status}: ${text.slice(0, 500)}`);
    return text;
  };
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
  };
}
