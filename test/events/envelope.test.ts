import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isResourceEvent } from "../../src/events/event.ts";
import { parseEvent } from "../../src/events/parse.ts";
import { TABLE } from "../../src/events/table.ts";
import { contradiction } from "../../src/serve/running/facts.ts";

const SCALING = { AutoScalingGroupName: "app-v001", EC2InstanceId: "i-1" };

const envelope = (source: string, detailType: string, detail: object, more: object = {}) =>
  JSON.stringify({
    version: "0",
    id: "7b1d1e6c-0000-4000-8000-000000000001",
    "detail-type": detailType,
    source,
    account: "012345678901",
    time: "2026-11-21T08:00:00Z",
    region: "us-east-1",
    resources: [],
    detail,
    ...more,
  });
const call = (eventSource: string, eventName: string, more: object) =>
  parseEvent(
    envelope("aws.any", "AWS API Call via CloudTrail", {
      eventSource,
      eventName,
      awsRegion: "eu-west-1",
      recipientAccountId: "000000000042",
      ...more,
    }),
  );

describe("EventBridge envelopes", () => {
  test("a launch names the group and the instance that has to be in the cache", () => {
    expect(parseEvent(envelope("aws.autoscaling", "EC2 Instance Launch Successful", SCALING))).toMatchObject({
      source: "service",
      type: "server-group",
      name: "app-v001",
      awsAccountId: "012345678901",
      region: "us-east-1",
      at: Date.UTC(2026, 10, 21, 8),
      facts: { gone: false, instanceIds: ["i-1"] },
    });
  });

  test("a termination tells that the instance is gone, and nothing of the group", () => {
    const event = parseEvent(envelope("aws.autoscaling", "EC2 Instance Terminate Successful", SCALING));
    if (!isResourceEvent(event)) throw new Error("no resource");
    const group = (...ids: string[]) =>
      ({ name: "app-v001", instances: ids.map((name) => ({ name })) }) as never;
    expect(contradiction(event.facts, undefined)).toBeUndefined();
    expect(contradiction(event.facts, group("i-2"))).toBeUndefined();
    expect(contradiction(event.facts, group("i-1", "i-2"))).toContain("i-1 has left");
  });

  test("Config's item inside an envelope is read as Config's own message", () => {
    const configurationItem = {
      resourceType: "AWS::EC2::SecurityGroup",
      resourceId: "sg-1",
      awsAccountId: "012345678901",
      awsRegion: "us-east-1",
      configurationItemStatus: "OK",
    };
    const detail = { messageType: "ConfigurationItemChangeNotification", configurationItem };
    const event = parseEvent(envelope("aws.config", "Config Configuration Item Change", detail));
    expect(event).toMatchObject({ source: "config", type: "security-group", name: "sg-1" });
  });

  const group = { requestParameters: { autoScalingGroupName: "a" } };
  const listenerArn = "arn:aws:elasticloadbalancing:r:1:listener/app/lb/50dc/f2f7";
  test.each([
    ["autoscaling.amazonaws.com", "SetDesiredCapacity", group, "a"],
    ["ec2.amazonaws.com", "RevokeSecurityGroupIngress", { requestParameters: { groupId: "sg-1" } }, "sg-1"],
    ["ec2.amazonaws.com", "CreateSecurityGroup", { responseElements: { groupId: "sg-2" } }, "sg-2"],
    ["elasticloadbalancing.amazonaws.com", "DeleteListener", { requestParameters: { listenerArn } }, "lb"],
  ])("CloudTrail: %s %s", (source, name, more, expected) => {
    expect(call(source, name, more)).toMatchObject({
      source: "cloudtrail",
      name: expected,
      awsAccountId: "000000000042",
      region: "eu-west-1",
    });
  });

  const refused = { ...group, errorCode: "AccessDenied" };
  const scaling = (type: string, more?: object) =>
    parseEvent(envelope("aws.autoscaling", type, SCALING, more));
  test.each([
    ["a failed call", call("autoscaling.amazonaws.com", "SetDesiredCapacity", refused)],
    ["a reading call", call("ec2.amazonaws.com", "DescribeSecurityGroups", {})],
    ["a call without a name", call("autoscaling.amazonaws.com", "SetDesiredCapacity", {})],
    ["another service", call("__proto__", "constructor", {})],
    ["an instance refresh", scaling("EC2 Auto Scaling Instance Refresh Started")],
    ["no account", scaling("EC2 Instance Launch Successful", { account: 1 })],
    [
      "a type from the prototype",
      parseEvent(
        '{"messageType":"ConfigurationItemChangeNotification","configurationItem":{"resourceType":"constructor","awsAccountId":"012345678901","awsRegion":"r","resourceId":"x"}}',
      ),
    ],
    ["a kind of message from the prototype", parseEvent('{"messageType":"constructor"}')],
    ["our own test message", parseEvent('{"aec":"test","environment":"prod"}')],
  ])("%s asks for nothing, with a reason", (_, event) => {
    expect(event).toEqual({ ignored: expect.any(String) });
  });

  test("property: any envelope is read or ignored, never a crash", () => {
    const names = TABLE.flatMap(({ calls = [] }) => [...calls]);
    const value = fc.oneof(fc.string(), fc.constantFrom("sg-1", "app-v001", "eu-west-1"), fc.jsonValue());
    const detail = fc.record(
      {
        eventSource: fc.oneof(value, fc.constantFrom(...TABLE.map(({ event }) => event))),
        eventName: fc.oneof(value, fc.constantFrom(...names)),
        errorCode: value,
        requestParameters: fc.oneof(value, fc.dictionary(fc.constantFrom("groupId", "name"), value)),
        responseElements: value,
        AutoScalingGroupName: value,
        "instance-id": value,
        "stack-id": value,
        "status-details": value,
        ImageId: value,
        group: value,
        EC2InstanceId: value,
        messageType: value,
        configurationItem: value,
        recipientAccountId: value,
        awsRegion: value,
      },
      { requiredKeys: [] },
    );
    const type = fc.constantFrom(
      "AWS API Call via CloudTrail",
      "EC2 Instance Launch Successful",
      "Config Configuration Item Change",
      "EC2 Instance State-change Notification",
      "EC2 AMI State Change",
      "ECS Service Action",
      "ECS Task State Change",
      "CloudFormation Stack Status Change",
    );
    const source = fc.constantFrom(
      "aws.autoscaling",
      "aws.ec2",
      "aws.ecs",
      "aws.cloudformation",
      "aws.cloudwatch",
    );
    let used = 0;
    fc.assert(
      fc.property(fc.oneof(value, detail), type, source, (inner, detailType, from) => {
        const event = parseEvent(envelope(from, detailType, inner as object));
        if ("ignored" in event) expect(event.ignored.length).toBeLessThan(300);
        else if (isResourceEvent(event)) {
          used += 1;
          expect([event.name === "", typeof event.region]).toEqual([false, "string"]);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(used).toBeGreaterThan(20);
  });
});
