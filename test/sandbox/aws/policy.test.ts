import { describe, expect, test } from "vitest";
import { allows } from "../../../src/sandbox/aws/policy.ts";

const ARN = "arn:aws:sns:eu-west-1:111111111111:events";
const statement = {
  Effect: "Allow",
  Principal: { Service: "config.amazonaws.com" },
  Action: "sns:Publish",
  Resource: ARN,
};
const request = {
  service: "config.amazonaws.com",
  action: "sns:Publish",
  resource: ARN,
  context: {
    "aws:sourceaccount": "111111111111",
    "aws:sourcearn": "arn:aws:config:eu-west-1:111111111111:*",
  },
};
const decide = (...statements: object[]) => allows(JSON.stringify({ Statement: statements }), request);

describe("a service may act", () => {
  test.each([
    ["plainly", {}],
    ["among several", { Principal: { Service: ["events.amazonaws.com", "config.amazonaws.com"] } }],
    ["as anybody", { Principal: "*" }],
    ["by any case of the action", { Action: ["SNS:publish"] }],
    ["by a wildcard", { Action: "sns:*", Resource: "*" }],
    ["from its account", { Condition: { StringEquals: { "aws:sourceACCOUNT": ["2", "111111111111"] } } }],
    ["from its ARN", { Condition: { ArnLike: { "AWS:SourceArn": "arn:aws:config:*:111111111111:*" } } }],
  ])("%s", (_name, change) => {
    expect(decide({ ...statement, ...change })).toBe(true);
  });
});

describe("a service may not act", () => {
  test.each([
    ["as another service", { Principal: { Service: "events.amazonaws.com" } }],
    ["as an account", { Principal: { AWS: "111111111111" } }],
    ["by another action", { Action: "sns:Subscribe" }],
    ["on another resource", { Resource: `${ARN}2` }],
    ["from another account", { Condition: { StringEquals: { "AWS:SourceAccount": "222222222222" } } }],
    ["by an absent key", { Condition: { StringEquals: { "AWS:SourceOrgID": "o-1" } } }],
    ["by an unknown operator", { Condition: { IpAddress: { "AWS:SourceAccount": "111111111111" } } }],
    ["by an Allow for all else", { Action: undefined, NotAction: "sns:Subscribe" }],
  ])("%s", (_name, change) => {
    expect(decide({ ...statement, ...change })).toBe(false);
  });

  test("against a Deny, without statements, or without a policy", () => {
    expect(decide(statement, { ...statement, Effect: "Deny" })).toBe(false);
    expect(decide()).toBe(false);
    expect(allows(undefined, request)).toBe(false);
  });
});
