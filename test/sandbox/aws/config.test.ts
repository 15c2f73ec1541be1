import {
  DescribeConfigurationRecorderStatusCommand,
  DescribeConfigurationRecordersCommand,
  DescribeDeliveryChannelStatusCommand,
  DescribeDeliveryChannelsCommand,
  PutConfigurationRecorderCommand,
  PutDeliveryChannelCommand,
  StartConfigurationRecorderCommand,
  StopConfigurationRecorderCommand,
} from "@aws-sdk/client-config-service";
import { describe, expect, test } from "vitest";
import type { AutoScalingGroup } from "../../../src/sandbox/aws/inventory.ts";
import { REGION, receiver, sandbox, subscribed } from "./support.ts";

const ROLE = "arn:aws:iam::012345678901:role/config";
const ACCOUNT = "012345678901";

/** A topic whose policy lets `account`'s Config publish, with a confirmed receiver. */
async function recorded(account = ACCOUNT) {
  const world = await sandbox();
  const endpoint = await receiver();
  const Policy = JSON.stringify({
    Statement: {
      Effect: "Allow",
      Principal: { Service: "config.amazonaws.com" },
      Action: "SNS:Publish",
      Resource: `arn:aws:sns:${REGION}:${ACCOUNT}:events`,
      Condition: {
        StringEquals: { "AWS:SourceAccount": [account] },
        ArnLike: { "AWS:SourceArn": `arn:aws:config:${REGION}:*` },
      },
    },
  });
  const { topicArn } = await subscribed(world, endpoint, {}, { Policy });
  const items = () =>
    endpoint.envelopes().map(({ Subject, Message }) => ({ Subject, ...JSON.parse(Message ?? "") }));
  return { ...world, topicArn, items };
}

const group = (changes: Partial<AutoScalingGroup> = {}): AutoScalingGroup => ({
  name: "app-main-v000",
  min: 0,
  max: 3,
  desired: 1,
  instanceIds: ["i-1"],
  loadBalancers: [],
  ...changes,
});

describe("recorder and channel", () => {
  test("are one each per Region, with AWS's errors", async () => {
    const { aws, config } = await sandbox();
    const recorder = (name: string) =>
      config.send(new PutConfigurationRecorderCommand({ ConfigurationRecorder: { name, roleARN: ROLE } }));
    const channel = (fields: object) =>
      config.send(new PutDeliveryChannelCommand({ DeliveryChannel: { name: "default", ...fields } }));
    const start = (name: string) =>
      config.send(new StartConfigurationRecorderCommand({ ConfigurationRecorderName: name }));

    const refused = (call: Promise<unknown>, name: string) => expect(call).rejects.toMatchObject({ name });
    await refused(start("default"), "NoSuchConfigurationRecorderException");
    await refused(channel({ s3BucketName: "b" }), "NoAvailableConfigurationRecorderException");
    await recorder("default");
    await refused(recorder("other"), "MaxNumberOfConfigurationRecordersExceededException");
    await refused(start("default"), "NoAvailableDeliveryChannelException");
    await refused(channel({}), "NoSuchBucketException");
    const foreign = aws.sns.createTopic("us-east-1", "events", new Map(), new Map()).arn;
    await refused(channel({ s3BucketName: "b", snsTopicARN: foreign }), "InvalidSNSTopicARNException");
    await channel({ s3BucketName: "b", s3KeyPrefix: "p" });
    await refused(
      channel({ name: "other", s3BucketName: "b" }),
      "MaxNumberOfDeliveryChannelsExceededException",
    );
    await refused(
      config.send(new DescribeDeliveryChannelsCommand({ DeliveryChannelNames: ["other"] })),
      "NoSuchDeliveryChannelException",
    );
    await start("default");

    const recorders = await config.send(new DescribeConfigurationRecordersCommand({}));
    expect(recorders.ConfigurationRecorders).toMatchObject([
      {
        name: "default",
        roleARN: ROLE,
        recordingGroup: { allSupported: true },
        recordingMode: { recordingFrequency: "CONTINUOUS" },
      },
    ]);
    const status = () => config.send(new DescribeConfigurationRecorderStatusCommand({}));
    expect((await status()).ConfigurationRecordersStatus).toMatchObject([
      { recording: true, lastStartTime: new Date("2026-11-20T12:00:00Z") },
    ]);
    await config.send(new StopConfigurationRecorderCommand({ ConfigurationRecorderName: "default" }));
    expect((await status()).ConfigurationRecordersStatus).toMatchObject([{ recording: false }]);
  });

  test("a second PutDeliveryChannel drops what it leaves out", async () => {
    const { aws, config } = await sandbox();
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    aws.config.enable(REGION, topic.arn);
    const fields = { name: "default", s3BucketName: "b" };
    const put = (DeliveryChannel: object) => config.send(new PutDeliveryChannelCommand({ DeliveryChannel }));
    const read = async () =>
      (await config.send(new DescribeDeliveryChannelsCommand({}))).DeliveryChannels?.[0];
    const configSnapshotDeliveryProperties = { deliveryFrequency: "One_Hour" };
    const full = { ...fields, s3KeyPrefix: "p", snsTopicARN: topic.arn, configSnapshotDeliveryProperties };
    await put(full);
    expect(await read()).toEqual(full);
    await put(fields);
    expect(await read()).toEqual(fields);
    const { DeliveryChannelsStatus } = await config.send(new DescribeDeliveryChannelStatusCommand({}));
    expect(DeliveryChannelsStatus?.[0]?.configStreamDeliveryInfo?.lastStatus).toBe("NOT_APPLICABLE");
  });
});

describe("change notifications", () => {
  test("tell of an Auto Scaling group's creation, update and deletion", async () => {
    const { aws, clock, topicArn, items } = await recorded();
    aws.config.enable(REGION, topicArn);
    aws.inventory.put("auto-scaling-group", REGION, group());
    await clock.advance(0);
    aws.inventory.put("auto-scaling-group", REGION, group({ desired: 2, instanceIds: ["i-1", "i-2"] }));
    await clock.advance(0);
    aws.inventory.remove("auto-scaling-group", REGION, "app-main-v000");
    await clock.advance(0);

    const [created, updated, deleted] = items();
    expect(created).toMatchObject({
      messageType: "ConfigurationItemChangeNotification",
      notificationCreationTime: "2026-11-20T12:00:00.000Z",
      configurationItemDiff: { changeType: "CREATE", changedProperties: {} },
      configurationItem: {
        awsAccountId: ACCOUNT,
        awsRegion: REGION,
        configurationItemStatus: "ResourceDiscovered",
        resourceType: "AWS::AutoScaling::AutoScalingGroup",
        resourceName: "app-main-v000",
        configuration: {
          autoScalingGroupName: "app-main-v000",
          minSize: 0,
          maxSize: 3,
          desiredCapacity: 1,
          instances: [{ instanceId: "i-1", lifecycleState: "InService" }],
        },
        relationships: [{ resourceType: "AWS::EC2::Instance", resourceId: "i-1" }],
      },
    });
    expect(created?.configurationItem.resourceId).toBe(created?.configurationItem.ARN);
    expect(created?.Subject).toMatch(
      /^\[AWS Config:eu-west-1\] AWS::AutoScaling::AutoScalingGroup arn:aws:autosc/,
    );
    expect(created?.Subject.length).toBeLessThanOrEqual(100);

    expect(updated?.configurationItem.configurationItemStatus).toBe("OK");
    expect(updated?.configurationItemDiff).toMatchObject({
      changeType: "UPDATE",
      changedProperties: {
        "Configuration.DesiredCapacity": { previousValue: 1, updatedValue: 2, changeType: "UPDATE" },
        "Configuration.Instances.0": { previousValue: null, changeType: "CREATE" },
        "Relationships.0": { changeType: "CREATE" },
      },
    });
    expect(Object.keys(updated?.configurationItemDiff.changedProperties)).toHaveLength(3);

    expect(deleted?.configurationItem).toMatchObject({
      configurationItemStatus: "ResourceDeleted",
      configuration: null,
      relationships: [],
      resourceName: "app-main-v000",
    });
    expect(deleted?.configurationItemDiff.changeType).toBe("DELETE");
    const states = items().map(({ configurationItem }) => configurationItem.configurationStateId);
    expect(states).toEqual([...new Set(states)].sort((one, other) => one - other));
  });

  test("cover security groups and both generations of balancers", async () => {
    const { aws, clock, topicArn, items } = await recorded();
    aws.config.enable(REGION, topicArn);
    const balancer = { vpcId: "vpc-1", scheme: "internal" };
    const id = "sg-0123456789abcdef0";
    aws.inventory.put("security-group", REGION, {
      id,
      name: "web",
      vpcId: "vpc-1",
      rules: ["10.0.0.0/8:443"],
    });
    aws.inventory.put("load-balancer", REGION, { ...balancer, name: "old", type: "classic" });
    aws.inventory.put("load-balancer", REGION, { ...balancer, name: "new", type: "application" });
    await clock.advance(0);
    const found = new Map(items().map((item) => [item.configurationItem.resourceType, item]));
    expect(found.get("AWS::EC2::SecurityGroup")).toMatchObject({
      Subject: `[AWS Config:${REGION}] AWS::EC2::SecurityGroup ${id} Created in Account ${ACCOUNT}`,
      configurationItem: {
        resourceId: id,
        configuration: { groupName: "web", ipPermissions: [{ fromPort: 443, ipRanges: ["10.0.0.0/8"] }] },
      },
    });
    expect(found.get("AWS::ElasticLoadBalancing::LoadBalancer")?.configurationItem).toMatchObject({
      resourceId: "old",
      configuration: { loadBalancerName: "old", vpcid: "vpc-1" },
    });
    expect(found.get("AWS::ElasticLoadBalancingV2::LoadBalancer")?.configurationItem).toMatchObject({
      resourceId: expect.stringMatching(
        /^arn:aws:elasticloadbalancing:.*:loadbalancer\/app\/new\/[0-9a-f]{16}$/,
      ),
      configuration: { loadBalancerName: "new", type: "application" },
    });
  });

  test("come after the delay, only for recorded types, and only while recording", async () => {
    const { aws, config, clock, topicArn, items } = await recorded();
    aws.config.enable(REGION, topicArn);
    aws.config.delayMs = 90_000;
    aws.inventory.put("auto-scaling-group", REGION, group());
    await clock.advance(89_999);
    expect(items()).toEqual([]);
    await clock.advance(1);
    expect(items()).toHaveLength(1);
    expect(items()[0]?.configurationItem.configurationItemCaptureTime).toBe("2026-11-20T12:01:30.000Z");

    aws.config.delayMs = 0;
    aws.inventory.put("auto-scaling-group", "us-east-1", group());
    const ConfigurationRecorder = {
      name: "default",
      roleARN: ROLE,
      recordingGroup: {
        resourceTypes: ["AWS::EC2::SecurityGroup" as const],
        recordingStrategy: { useOnly: "INCLUSION_BY_RESOURCE_TYPES" as const },
      },
    };
    await config.send(new PutConfigurationRecorderCommand({ ConfigurationRecorder }));
    aws.inventory.put("auto-scaling-group", REGION, group({ max: 9 }));
    await config.send(new StopConfigurationRecorderCommand({ ConfigurationRecorderName: "default" }));
    aws.inventory.put("security-group", REGION, { id: "sg-1", name: "x", vpcId: "vpc-1", rules: [] });
    await clock.advance(0);
    expect(items()).toHaveLength(1);
  });

  test("are refused by a topic policy for another account, and the channel status says so", async () => {
    const { aws, config, clock, topicArn, items } = await recorded("999999999999");
    aws.config.enable(REGION, topicArn);
    aws.inventory.put("auto-scaling-group", REGION, group());
    await clock.advance(0);
    expect(items()).toEqual([]);
    const { DeliveryChannelsStatus } = await config.send(new DescribeDeliveryChannelStatusCommand({}));
    expect(DeliveryChannelsStatus?.[0]?.configStreamDeliveryInfo).toMatchObject({
      lastStatus: "FAILURE",
      lastErrorCode: "AuthorizationError",
    });
  });

  test("are refused by an encrypted topic", async () => {
    const { aws, clock, topicArn, items } = await recorded();
    aws.sns.topic(topicArn).attributes.set("KmsMasterKeyId", "alias/aws/sns");
    aws.config.enable(REGION, topicArn);
    aws.inventory.put("auto-scaling-group", REGION, group());
    await clock.advance(0);
    expect(items()).toEqual([]);
  });
});
