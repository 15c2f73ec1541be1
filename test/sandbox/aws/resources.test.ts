import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import type { SandboxAws } from "../../../src/sandbox/aws/server.ts";
import { REGION, sandbox } from "./support.ts";

/** Auto Scaling has no SDK client here: the query protocol by hand. */
async function autoScaling(aws: SandboxAws, action: string, parameters: Record<string, string> = {}) {
  const response = await fetch(aws.url, {
    method: "POST",
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=AKID/20261120/${REGION}/autoscaling/aws4_request, Signature=0`,
    },
    body: new URLSearchParams({ Action: action, Version: "2011-01-01", ...parameters }),
  });
  const body = await response.text();
  const all = (element: string) =>
    [...body.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, value]) => value);
  return { status: response.status, body, all };
}

test("Auto Scaling groups are made, resized, read and deleted", async () => {
  const { aws } = await sandbox();
  const name = { AutoScalingGroupName: "app-main-v000" };
  const create = { ...name, MinSize: "1", MaxSize: "3", "LoadBalancerNames.member.1": "app-main" };
  expect((await autoScaling(aws, "CreateAutoScalingGroup", create)).status).toBe(200);
  expect((await autoScaling(aws, "CreateAutoScalingGroup", create)).all("Code")).toEqual(["AlreadyExists"]);
  const [first] = aws.inventory.get("auto-scaling-group", REGION, "app-main-v000")?.instanceIds ?? [];

  await autoScaling(aws, "UpdateAutoScalingGroup", { ...name, DesiredCapacity: "3" });
  const grown = await autoScaling(aws, "DescribeAutoScalingGroups", {
    "AutoScalingGroupNames.member.1": "app-main-v000",
  });
  expect(grown.all("InstanceId")).toHaveLength(3);
  expect(grown.all("InstanceId")[0]).toBe(first);
  const slim = await autoScaling(aws, "DescribeAutoScalingGroups", { IncludeInstances: "false" });
  expect(slim.all("InstanceId")).toEqual([]);
  expect(grown.all("DesiredCapacity")).toEqual(["3"]);
  expect(grown.all("LoadBalancerNames")).toEqual([]);
  expect(grown.body).toContain("<LoadBalancerNames><member>app-main</member></LoadBalancerNames>");

  const tooMany = await autoScaling(aws, "UpdateAutoScalingGroup", { ...name, DesiredCapacity: "4" });
  expect([tooMany.status, ...tooMany.all("Code")]).toEqual([400, "ValidationError"]);
  await autoScaling(aws, "UpdateAutoScalingGroup", { ...name, MinSize: "0", MaxSize: "1" });
  expect(aws.inventory.list("auto-scaling-group", REGION)).toMatchObject([{ max: 1, instanceIds: [first] }]);
  expect((await autoScaling(aws, "DeleteAutoScalingGroup", name)).all("Code")).toEqual(["ResourceInUse"]);
  await autoScaling(aws, "DeleteAutoScalingGroup", { ...name, ForceDelete: "true" });
  expect(aws.inventory.list("auto-scaling-group", REGION)).toEqual([]);
  expect((await autoScaling(aws, "DeleteAutoScalingGroup", name)).all("Code")).toEqual(["ValidationError"]);
});

test("Auto Scaling groups are listed in pages of at most 100", async () => {
  const { aws } = await sandbox();
  for (let n = 0; n < 150; n++) {
    const group = { name: `app-v${n}`, min: 0, max: 0, desired: 0, instanceIds: [], loadBalancers: [] };
    aws.inventory.put("auto-scaling-group", REGION, group);
  }
  const list = (parameters: Record<string, string>) =>
    autoScaling(aws, "DescribeAutoScalingGroups", parameters);
  expect((await list({})).all("AutoScalingGroupName")).toHaveLength(50);
  const first = await list({ MaxRecords: "100" });
  expect(first.all("AutoScalingGroupName")).toHaveLength(100);
  const second = await list({ MaxRecords: "100", NextToken: first.all("NextToken")[0] ?? "" });
  expect(second.all("AutoScalingGroupName")).toHaveLength(50);
  expect(second.all("NextToken")).toEqual([]);
  expect((await list({ MaxRecords: "101" })).status).toBe(400);
});

test("security groups are made, opened, found and deleted", async () => {
  const { aws, ec2 } = await sandbox();
  const create = new CreateSecurityGroupCommand({ GroupName: "web", Description: "d", VpcId: "vpc-1" });
  const { GroupId = "" } = await ec2.send(create);
  expect(GroupId).toMatch(/^sg-0[0-9a-f]{16}$/);
  await expect(ec2.send(create)).rejects.toMatchObject({ name: "InvalidGroup.Duplicate" });

  const IpRanges = [{ CidrIp: "10.0.0.0/8" }, { CidrIp: "192.168.0.0/16" }];
  const IpPermissions = [
    { IpProtocol: "tcp", FromPort: 443, ToPort: 443, IpRanges },
    { IpProtocol: "tcp", FromPort: 8000, ToPort: 8080, IpRanges: [{ CidrIp: "0.0.0.0/0" }] },
  ];
  const authorize = new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions });
  await ec2.send(authorize);
  await expect(ec2.send(authorize)).rejects.toMatchObject({ name: "InvalidPermission.Duplicate" });
  expect(aws.inventory.get("security-group", REGION, GroupId)?.rules).toEqual([
    "10.0.0.0/8:443",
    "192.168.0.0/16:443",
    "0.0.0.0/0:8000-8080",
  ]);

  const find = async (Name: string, value: string) =>
    (await ec2.send(new DescribeSecurityGroupsCommand({ Filters: [{ Name, Values: [value] }] })))
      .SecurityGroups;
  expect(await find("vpc-id", "vpc-1")).toMatchObject([
    {
      GroupId,
      GroupName: "web",
      IpPermissions: [{ FromPort: 443, IpRanges: [{ CidrIp: "10.0.0.0/8" }] }, {}, {}],
    },
  ]);
  expect((await find("group-name", "other")) ?? []).toEqual([]);
  await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
  await expect(ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }))).rejects.toMatchObject({
    name: "InvalidGroup.NotFound",
  });
});
