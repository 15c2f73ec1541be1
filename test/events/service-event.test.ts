import { describe, expect, test } from "vitest";
import { parseEvent } from "../../src/events/event.ts";

const ACCOUNT = "012345678901";
const event = (source: string, detailType: string, detail: object, resources: string[] = []) =>
  parseEvent(
    JSON.stringify({
      version: "0",
      id: "7bf73129-1428-4cd3-a780-95db273d1602",
      "detail-type": detailType,
      source,
      account: ACCOUNT,
      time: "2026-11-21T10:00:00Z",
      region: "eu-west-1",
      resources,
      detail,
    }),
  );
const SERVICE = `arn:aws:ecs:eu-west-1:${ACCOUNT}:service/main/shop`;
const STACK = `arn:aws:cloudformation:eu-west-1:${ACCOUNT}:stack/shop/6af3d5a0`;
const stack = (status: string) =>
  event("aws.cloudformation", "CloudFormation Stack Status Change", {
    "stack-id": STACK,
    "status-details": { status, "status-reason": "" },
  });
const instance = (state: string) =>
  event("aws.ec2", "EC2 Instance State-change Notification", { "instance-id": "i-1", state });
const image = (State: string) =>
  event("aws.ec2", "EC2 AMI State Change", { ImageId: "ami-1", State, ErrorMessage: "" });

describe("events that services send by themselves", () => {
  test.each([
    ["an instance that runs", instance("running"), "instance", "i-1", false],
    ["one that has ended, and is still described", instance("terminated"), "instance", "i-1", undefined],
    ["an image that is there", image("available"), "image", "ami-1", false],
    ["an image that is gone for its users", image("deregistered"), "image", "ami-1", undefined],
    ["a stack that is made", stack("CREATE_COMPLETE"), "stack", STACK, false],
    ["a stack that is being deleted", stack("DELETE_IN_PROGRESS"), "stack", STACK, undefined],
    ["a stack that is deleted", stack("DELETE_COMPLETE"), "stack", STACK, true],
    [
      "an ECS service",
      event("aws.ecs", "ECS Service Action", { eventName: "SERVICE_TASK_START_IMPAIRED" }, [SERVICE]),
      "ecs-service",
      "shop",
      undefined,
    ],
    [
      "its deployment, with an ARN of the old form",
      event("aws.ecs", "ECS Deployment State Change", { eventName: "SERVICE_DEPLOYMENT_COMPLETED" }, [
        `arn:aws:ecs:eu-west-1:${ACCOUNT}:service/shop`,
      ]),
      "ecs-service",
      "shop",
      undefined,
    ],
    [
      "its task",
      event("aws.ecs", "ECS Task State Change", { group: "service:shop", lastStatus: "RUNNING" }),
      "ecs-service",
      "shop",
      undefined,
    ],
  ])("%s", (_, parsed, type, name, gone) => {
    expect(parsed).toMatchObject({
      source: "service",
      awsAccountId: ACCOUNT,
      region: "eu-west-1",
      type,
      name,
      at: Date.UTC(2026, 10, 21, 10),
    });
    expect((parsed as { facts: { gone?: boolean } }).facts.gone).toBe(gone);
  });

  test.each([
    [
      "a steady state",
      event("aws.ecs", "ECS Service Action", { eventName: "SERVICE_STEADY_STATE" }, [SERVICE]),
    ],
    ["a task of no service", event("aws.ecs", "ECS Task State Change", { group: "family:batch" })],
    ["an image that is not there yet", image("pending")],
    [
      "an agent of an instance",
      event("aws.ecs", "ECS Container Instance State Change", { agentConnected: true }),
    ],
    ["a service without its name", event("aws.ecs", "ECS Service Action", { eventName: "x" })],
    ["an instance without its id", event("aws.ec2", "EC2 Instance State-change Notification", {})],
    ["a kind from the prototype", event("aws.ec2", "constructor", {})],
  ])("%s asks for nothing, with a reason", (_, parsed) => {
    expect(parsed).toEqual({ ignored: expect.any(String) });
  });
});
