import { arnRegion } from "../arn.ts";
import { parseObject } from "../input.ts";
import { invalidParameter } from "./error.ts";
import { checkDeliveryPolicy, type EffectivePolicy, effectivePolicy } from "./retry.ts";
import type { Topic } from "./topics.ts";

/** A subscription, from Subscribe to Unsubscribe. */
export interface Subscription {
  readonly arn: string;
  readonly topic: Topic;
  readonly protocol: string;
  readonly endpoint: string;
  /** As set by clients. */
  readonly attributes: Map<string, string>;
  confirmed: boolean;
  /** Whether ConfirmSubscription was signed, and asked that Unsubscribe be so too. */
  confirmedBySigned: boolean;
  authenticateOnUnsubscribe: boolean;
  /** The last confirmation sent, ms of the sandbox's clock. */
  askedAt: number;
}

/** Pending subscriptions and their tokens live this long (SNS API reference, ConfirmSubscription). */
export const TOKEN_LIFE_MS = 48 * 3_600_000;

/** Throws InvalidParameter unless SNS could deliver to `endpoint` by `protocol` (http, https or sqs here). */
export function checkEndpoint(protocol: string, endpoint: string): void {
  if (!["http", "https", "sqs"].includes(protocol)) {
    throw invalidParameter(`Amazon SNS does not support this protocol string: ${protocol}`);
  }
  const fits = protocol === "sqs" ? /^arn:[^:]+:sqs:/.test(endpoint) : endpoint.startsWith(`${protocol}://`);
  if (!fits) throw invalidParameter("Endpoint must match the specified protocol");
  if (protocol !== "sqs" && !URL.canParse(endpoint)) throw invalidParameter("Endpoint Reason: not a URL");
}

/** Sets one attribute as SetSubscriptionAttributes and Subscribe do; throws InvalidParameter. */
export function setSubscriptionAttribute(
  subscription: Pick<Subscription, "attributes" | "topic">,
  name: string,
  value: string,
): void {
  const { attributes, topic } = subscription;
  const check: Readonly<Record<string, (value: string) => void>> = {
    DeliveryPolicy: (policy) => checkDeliveryPolicy(policy, "subscription"),
    FilterPolicy: (policy) => {
      if (!parseObject(policy)) throw invalidParameter("FilterPolicy: failed to parse JSON.");
    },
    FilterPolicyScope: (scope) => {
      if (!["MessageAttributes", "MessageBody"].includes(scope)) throw invalidParameter("FilterPolicyScope");
    },
    RawMessageDelivery: (raw) => {
      if (!["true", "false"].includes(raw)) throw invalidParameter("RawMessageDelivery");
    },
    RedrivePolicy: (policy) => {
      const target = deadLetterArn(policy);
      if (!target) throw invalidParameter("RedrivePolicy: deadLetterTargetArn is an invalid arn");
      if (arnRegion(target) !== topic.region) {
        throw invalidParameter("RedrivePolicy: deadLetterTargetArn is not in the topic's region");
      }
    },
  };
  if (!Object.hasOwn(check, name)) throw invalidParameter("AttributeName");
  if (value === "" || value === "{}") {
    attributes.delete(name);
    return;
  }
  check[name]?.(value);
  attributes.set(name, value);
}

/** The queue of a RedrivePolicy document. */
export function deadLetterArn(policy: string | undefined): string | undefined {
  const target = parseObject(policy ?? "")?.deadLetterTargetArn;
  return typeof target === "string" && /^arn:[^:]+:sqs:[^:]+:\d+:.+$/.test(target) ? target : undefined;
}

/** Retries and content type in force for a subscription. */
export function policyOf(subscription: Subscription): EffectivePolicy {
  const { topic, attributes } = subscription;
  return effectivePolicy(topic.attributes.get("DeliveryPolicy"), attributes.get("DeliveryPolicy"));
}

/** The attributes GetSubscriptionAttributes answers with. */
export function describeSubscription(subscription: Subscription): Map<string, string> {
  const { arn, topic, protocol, endpoint, attributes, confirmed, confirmedBySigned } = subscription;
  const { retry, contentType } = policyOf(subscription);
  const effective = {
    healthyRetryPolicy: retry,
    sicklyRetryPolicy: null,
    throttlePolicy: null,
    requestPolicy: { headerContentType: contentType },
    guaranteed: false,
  };
  return new Map([
    ["SubscriptionArn", arn],
    ["TopicArn", topic.arn],
    ["Owner", topic.owner],
    ["Protocol", protocol],
    ["Endpoint", endpoint],
    ["PendingConfirmation", String(!confirmed)],
    ["ConfirmationWasAuthenticated", String(confirmedBySigned)],
    ["RawMessageDelivery", "false"],
    ...(attributes.has("FilterPolicy") ? [["FilterPolicyScope", "MessageAttributes"] as const] : []),
    ...(protocol === "sqs" ? [] : [["EffectiveDeliveryPolicy", JSON.stringify(effective)] as const]),
    ...attributes,
  ]);
}
