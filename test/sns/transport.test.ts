import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEvent } from "../../src/events/parse.ts";
import { CONFIG_TYPES } from "../../src/events/table.ts";
import { matchesPattern } from "../../src/sandbox/aws/pattern.ts";
import { bodyFilter } from "../../src/sns/filter.ts";
import { aec } from "../helpers/aec.ts";
import { testAws } from "../helpers/aws.ts";

const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-default";
const QUEUE = "arn:aws:sqs:us-east-1:012345678901:aec-default-events";
const DLQ = "arn:aws:sqs:us-east-1:012345678901:aec-default-dlq";

describe("--protocol sqs", () => {
  test("queue, dead-letter queue, policies and a subscription that is not raw", async () => {
    const { aws, run, mutations } = await testAws();
    const { exit, json } = await run("sns create --protocol sqs --yes -o json");
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      state: "confirmed",
      queueUrl: expect.stringMatching(/aec-default-events$/),
    });
    const attributes = Object.fromEntries(aws.sqs.queues.get(QUEUE)?.attributes ?? []);
    expect(JSON.parse(attributes.RedrivePolicy ?? "")).toMatchObject({ deadLetterTargetArn: DLQ });
    expect(JSON.parse(attributes.Policy ?? "").Statement).toMatchObject([
      { Sid: "aecEvents", Resource: QUEUE, Condition: { ArnEquals: { "aws:SourceArn": TOPIC } } },
    ]);
    const [subscription] = aws.sns.subscriptions.values();
    expect([subscription?.protocol, subscription?.endpoint]).toEqual(["sqs", QUEUE]);
    expect(subscription?.attributes.has("DeliveryPolicy")).toBe(false);

    const before = mutations().length;
    await run("sns create --protocol sqs --yes");
    expect(mutations().length).toBe(before);
    aws.sqs.queues.get(QUEUE)?.attributes.delete("RedrivePolicy");
    const drifted = await run("sns status --protocol sqs --deep --exit-code");
    expect([drifted.exit, drifted.stdout]).toEqual([
      3,
      expect.stringContaining("event queue (RedrivePolicy)"),
    ]);
    expect((await run("sns create --protocol sqs --yes")).exit).toBe(0);
    expect((await run("sns status --protocol sqs --deep --exit-code")).exit).toBe(0);
    expect((await run("sns delete --yes")).exit).toBe(0);
    expect([aws.sqs.queues.size, aws.sns.topics.size]).toEqual([0, 0]);
  });

  test("an endpoint and the queue are one or the other", async () => {
    const { exit } = await aec(
      "sns create --protocol sqs --endpoint https://gate.example.com --aws-region us-east-1".split(" "),
    );
    expect(exit).toBe(2);
  });

  test.each(["CreateQueue", "CreateTopic", "SetTopicAttributes", "Subscribe"])(
    "denied, throttled or garbled at %s, the next run completes",
    async (action) => {
      const { aws, run } = await testAws();
      for (const kind of ["denied", "throttled", "html"] as const) {
        aws.fault({ kind, action });
        const { exit, json } = await run("sns create --protocol sqs --yes -o json");
        expect(exit).not.toBe(0);
        expect(json()).toMatchObject({ error: { hint: expect.any(String) } });
      }
      aws.fault(undefined);
      const { json } = await run("sns create --protocol sqs --yes -o json");
      expect(json()).toMatchObject({ state: "confirmed" });
      expect((await run("sns status --protocol sqs --deep --exit-code")).exit).toBe(0);
    },
  );
});

describe("--filter", () => {
  test("is set on the subscription, with its scope", async () => {
    const { aws, run } = await testAws();
    await run("sns create --protocol sqs --yes");
    expect((await run("sns status --protocol sqs --filter --exit-code")).exit).toBe(3);
    await run("sns create --protocol sqs --filter --yes");
    const [subscription] = aws.sns.subscriptions.values();
    expect(subscription?.attributes.get("FilterPolicyScope")).toBe("MessageBody");
    expect((await run("sns status --protocol sqs --filter --exit-code")).exit).toBe(0);
  });

  test("property: whatever parseEvent would refresh by passes the filter", () => {
    const item = fc.record({
      resourceType: fc.constantFrom(...CONFIG_TYPES, "AWS::S3::Bucket", "AWS::EC2::Volume"),
      resourceId: fc.constant("sg-1"),
      resourceName: fc.constant("app-v001"),
      awsAccountId: fc.constant("012345678901"),
      awsRegion: fc.constant("us-east-1"),
    });
    const message = fc.oneof(
      item.map((configurationItem) => ({
        messageType: "ConfigurationItemChangeNotification",
        configurationItem,
      })),
      item.map((configurationItemSummary) => ({
        messageType: "OversizedConfigurationItemChangeNotification",
        configurationItemSummary,
      })),
      fc.record({
        source: fc.constantFrom("aws.autoscaling", "aws.config", "aws.ec2"),
        "detail-type": fc.constantFrom("EC2 Instance Launch Successful", "AWS API Call via CloudTrail"),
        account: fc.constant("012345678901"),
        region: fc.constant("us-east-1"),
        detail: fc.record({
          AutoScalingGroupName: fc.constant("app-v001"),
          eventSource: fc.constantFrom("autoscaling.amazonaws.com", "s3.amazonaws.com"),
          eventName: fc.constantFrom("SetDesiredCapacity", "PutObject"),
          requestParameters: fc.constant({ autoScalingGroupName: "app-v001" }),
        }),
      }),
      fc.constant({ messageType: "ComplianceChangeNotification" }),
    );
    let [through, kept] = [0, 0];
    fc.assert(
      fc.property(message, (document) => {
        const passes = matchesPattern(bodyFilter(), document);
        const used = !("ignored" in parseEvent(JSON.stringify(document)));
        if (used) expect(passes).toBe(true);
        if (passes) through += 1;
        else kept += 1;
      }),
    );
    expect(Math.min(through, kept)).toBeGreaterThan(5);
    expect(matchesPattern(bodyFilter(), { aec: "test" })).toBe(true);
  });
});

describe("--kms-key", () => {
  test("encrypts, lets EventBridge alone publish, and AWS Config is kept off", async () => {
    const { aws, run } = await testAws();
    const created = await run("sns create --protocol sqs --kms-key alias/events --yes");
    expect(created.exit, created.stderr).toBe(0);
    const topic = aws.sns.topics.get(TOPIC);
    expect(topic?.attributes.get("KmsMasterKeyId")).toBe("alias/events");
    expect(topic?.attributes.get("Policy")).not.toContain("config.amazonaws.com");
    expect((await run("sns status --protocol sqs --exit-code")).exit).toBe(0);
    const refused = await run("recorder enable --bucket b --yes -o json");
    expect([refused.exit, refused.json()]).toMatchObject([1, { error: { code: "topic-encrypted" } }]);
  });

  test("the key that AWS manages is refused", async () => {
    const { run } = await testAws();
    expect((await run("sns create --protocol sqs --kms-key alias/aws/sns --yes")).exit).toBe(2);
  });
});

test("AWS that throttles is told of once, and waited for", async () => {
  const { aws, run } = await testAws();
  aws.fault({ kind: "throttled", action: "CreateTopic", times: 1 });
  const { exit, stderr } = await run("sns create --protocol sqs --yes", { env: { AWS_MAX_ATTEMPTS: "3" } });
  expect(exit, stderr).toBe(0);
  expect(stderr.match(/AWS throttles SNS:CreateTopic/g)).toHaveLength(1);
});

test("--export cloudformation prints what would be made, and calls nothing", async () => {
  const { exit, json } = await aec(
    "sns create --protocol sqs --filter --export cloudformation -o json".split(" "),
  );
  expect(exit).toBe(0);
  const { Resources } = json<{ Resources: Record<string, { Type: string }> }>();
  expect(Object.values(Resources).map(({ Type }) => Type)).toEqual([
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::Subscription",
  ]);
});
