import { isDeepStrictEqual } from "node:util";
import { asRecord, parseObject } from "../input.ts";
import { invalidParameter } from "./error.ts";
import { checkDeliveryPolicy, effectivePolicy } from "./retry.ts";

/** A standard topic. */
export interface Topic {
  readonly arn: string;
  readonly region: string;
  readonly owner: string;
  /** As set by clients, and the default `Policy`. */
  readonly attributes: Map<string, string>;
  readonly tags: Map<string, string>;
  deletedSubscriptions: number;
}

/** How many subscriptions a topic has. */
export interface SubscriptionCounts {
  confirmed: number;
  pending: number;
}

const SETTABLE = new Set([
  "Policy",
  "DisplayName",
  "DeliveryPolicy",
  "SignatureVersion",
  "KmsMasterKeyId",
  "TracingConfig",
  "MaximumMessageSize",
]);
const FEEDBACK = /^(HTTP|SQS|Lambda|Firehose|Application)(Success|Failure)Feedback(RoleArn|SampleRate)$/;

/** A new topic with the policy AWS gives it: its owner's identities may do everything, services nothing. */
export function newTopic(arn: string, region: string, owner: string): Topic {
  const actions = ["GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"];
  actions.push("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish");
  const statement = {
    Sid: "__default_statement_ID",
    Effect: "Allow",
    Principal: { AWS: "*" },
    Action: actions.map((action) => `SNS:${action}`),
    Resource: arn,
    Condition: { StringEquals: { "AWS:SourceOwner": owner } },
  };
  const policy = { Version: "2008-10-17", Id: "__default_policy_ID", Statement: [statement] };
  const attributes = new Map([["Policy", JSON.stringify(policy)]]);
  return { arn, region, owner, attributes, tags: new Map(), deletedSubscriptions: 0 };
}

/** Sets one attribute as SetTopicAttributes and CreateTopic do; throws InvalidParameter. */
export function setTopicAttribute(topic: Topic, name: string, value: string): void {
  if (!SETTABLE.has(name) && !FEEDBACK.test(name)) throw invalidParameter("AttributeName");
  if (name === "SignatureVersion" && !["1", "2"].includes(value)) throw invalidParameter("SignatureVersion");
  if (name === "Policy") checkPolicy(value);
  if (name === "DeliveryPolicy" && value) checkDeliveryPolicy(value, "topic");
  if (value) topic.attributes.set(name, value);
  else topic.attributes.delete(name);
}

function checkPolicy(value: string): void {
  const document = parseObject(value);
  if (!document) throw invalidParameter("Policy Error: null");
  const actions = [document.Statement].flat().flatMap((statement) => asRecord(statement)?.Action);
  if (!actions.every((action) => action === "*" || /^sns:/i.test(String(action)))) {
    throw invalidParameter("Policy statement action out of service scope!");
  }
}

/** The attributes GetTopicAttributes answers with. */
export function describeTopic(topic: Topic, { confirmed, pending }: SubscriptionCounts): Map<string, string> {
  const { retry, contentType } = effectivePolicy(topic.attributes.get("DeliveryPolicy"));
  const http = {
    defaultHealthyRetryPolicy: retry,
    disableSubscriptionOverrides: false,
    defaultRequestPolicy: { headerContentType: contentType },
  };
  return new Map([
    ["TopicArn", topic.arn],
    ["Owner", topic.owner],
    ["DisplayName", ""],
    ["SubscriptionsConfirmed", String(confirmed)],
    ["SubscriptionsPending", String(pending)],
    ["SubscriptionsDeleted", String(topic.deletedSubscriptions)],
    ["EffectiveDeliveryPolicy", JSON.stringify({ http })],
    ...topic.attributes,
  ]);
}

/** Whether two attribute values say the same: as JSON where both are, so that spacing does not matter. */
export function sameValue(one: string | undefined, other: string | undefined): boolean {
  return isDeepStrictEqual(parseObject(one ?? "") ?? one, parseObject(other ?? "") ?? other);
}
