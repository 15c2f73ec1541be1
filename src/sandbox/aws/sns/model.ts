import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../../../clock.ts";
import { arn } from "../arn.ts";
import { awsError } from "../error.ts";
import { parseObject } from "../input.ts";
import { matchesPattern } from "../pattern.ts";
import { allows } from "../policy.ts";
import { type Delivery, deliver } from "./deliver.ts";
import {
  confirmation,
  type EnvelopeType,
  envelopeBody,
  type MessageAttributes,
  notification,
} from "./envelope.ts";
import { invalidParameter, notFound } from "./error.ts";
import { retryDelays } from "./retry.ts";
import type { Signer } from "./sign.ts";
import {
  checkEndpoint,
  deadLetterArn,
  describeSubscription,
  policyOf,
  type Subscription,
  setSubscriptionAttribute,
  TOKEN_LIFE_MS,
} from "./subscriptions.ts";
import { newTopic, type SubscriptionCounts, sameValue, setTopicAttribute, type Topic } from "./topics.ts";

/** What SNS needs from the rest of the sandbox. */
export interface SnsWorld {
  clock: Clock;
  account: string;
  /** Base of SubscribeURL and UnsubscribeURL, without a final slash. */
  url: string;
  signer: Signer;
  closing: AbortSignal;
  /** Runs something that outlives the call; rejections after `closing` are expected. */
  background(task: () => Promise<void>): void;
  /** Hands `body` to a queue on behalf of a topic; false when the queue is missing or refuses. */
  enqueue(queueArn: string, body: string, topicArn: string): boolean;
}

/** What a publisher says; `subject` of at most 100 printable ASCII characters. */
export interface Publication {
  topicArn: string;
  message: string;
  subject?: string | undefined;
  attributes?: MessageAttributes;
}

/** A publication by an AWS service, subject to the topic's policy. */
export interface ServicePublication extends Publication {
  service: "config.amazonaws.com" | "events.amazonaws.com";
  sourceAccount: string;
  sourceArn?: string;
}

/** SNS in process: the same operations as by the API, and what it did. */
export interface SnsModel {
  readonly topics: ReadonlyMap<string, Topic>;
  /** Pending and confirmed subscriptions by ARN. */
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  /** Every finished try at an HTTP(S) endpoint, oldest first. */
  readonly deliveries: readonly Delivery[];
  topic(topicArn: string): Topic;
  counts(topic: Topic): SubscriptionCounts;
  subscriptionsOf(topic: Topic): Subscription[];
  subscription(subscriptionArn: string): Subscription;
  createTopic(region: string, name: string, attributes: Attributes, tags: Attributes): Topic;
  deleteTopic(topicArn: string): void;
  subscribe(topicArn: string, protocol: string, endpoint: string, attributes: Attributes): Subscription;
  confirm(
    topicArn: string,
    token: string,
    options: { signed: boolean; authenticateOnUnsubscribe: boolean },
  ): Subscription;
  unsubscribe(subscriptionArn: string, options: { signed: boolean }): void;
  /** Publishes as the account itself; answers the MessageId. */
  publish(publication: Publication): string;
  /** Publishes as a service; throws AuthorizationError unless the topic's policy allows it. */
  publishAs(publication: ServicePublication): string;
}
type Attributes = ReadonlyMap<string, string>;

/** Default limit of a message, bytes of UTF-8. */
const MAX_MESSAGE_BYTES = 262_144;

/** What the accounts of one AWS share: everything that an ARN or a token names. */
export interface SnsStores {
  topics: Map<string, Topic>;
  subscriptions: Map<string, Subscription>;
  tokens: Map<string, { subscription: Subscription; expiresAt: number }>;
  deliveries: Delivery[];
}

/** The SNS of one account. */
export function createSnsModel(world: SnsWorld, stores: SnsStores): SnsModel {
  const { clock, account, url, signer } = world;
  const { topics, subscriptions, tokens, deliveries } = stores;

  const timestamp = () => new Date(clock.now()).toISOString();
  const versionOf = (topic: Topic) => topic.attributes.get("SignatureVersion") ?? "1";

  function topic(topicArn: string): Topic {
    const found = topics.get(topicArn);
    if (!found) throw notFound("Topic");
    return found;
  }

  function forgetExpired(): void {
    const oldest = clock.now() - TOKEN_LIFE_MS;
    for (const { arn, confirmed, askedAt } of subscriptions.values()) {
      if (!confirmed && askedAt < oldest) subscriptions.delete(arn);
    }
  }

  function subscriptionsOf(of: Topic): Subscription[] {
    forgetExpired();
    return [...subscriptions.values()].filter((subscription) => subscription.topic === of);
  }

  function subscription(subscriptionArn: string): Subscription {
    forgetExpired();
    const found = subscriptions.get(subscriptionArn);
    if (!found) throw notFound("Subscription");
    return found;
  }

  function send(
    to: Subscription,
    type: EnvelopeType,
    messageId: string,
    body: string,
    wanted: () => boolean,
  ): void {
    const deadLetter = () => {
      const queue = deadLetterArn(to.attributes.get("RedrivePolicy"));
      if (queue && type === "Notification") world.enqueue(queue, body, to.topic.arn);
    };
    if (to.protocol === "sqs") {
      if (!world.enqueue(to.endpoint, body, to.topic.arn)) deadLetter();
      return;
    }
    const { retry, contentType } = policyOf(to);
    const raw = type === "Notification" && to.attributes.get("RawMessageDelivery") === "true";
    const letter = {
      messageId,
      type,
      topicArn: to.topic.arn,
      subscriptionArn: to.arn,
      endpoint: to.endpoint,
      body,
      headers: {
        "x-amz-sns-message-type": type,
        "x-amz-sns-message-id": messageId,
        "x-amz-sns-topic-arn": to.topic.arn,
        ...(type !== "SubscriptionConfirmation" && { "x-amz-sns-subscription-arn": to.arn }),
        ...(raw && { "x-amz-sns-rawdelivery": "true" }),
        "content-type": contentType,
        "user-agent": "Amazon Simple Notification Service Agent",
      },
      delays: retryDelays(retry),
      wanted,
      exhausted: deadLetter,
    };
    world.background(() => deliver(letter, clock, world.closing, (delivery) => deliveries.push(delivery)));
  }

  function sendConfirmation(to: Subscription, type: EnvelopeType): void {
    const Token = randomBytes(128).toString("hex");
    const parts = {
      Type: type,
      MessageId: randomUUID(),
      Token,
      TopicArn: to.topic.arn,
      SubscribeURL: `${url}/?Action=ConfirmSubscription&TopicArn=${to.topic.arn}&Token=${Token}`,
      Timestamp: timestamp(),
      subscriptionArn: to.arn,
    };
    to.askedAt = clock.now();
    tokens.set(Token, { subscription: to, expiresAt: to.askedAt + TOKEN_LIFE_MS });
    const body = envelopeBody(confirmation(parts, versionOf(to.topic), signer));
    const wanted = () => type === "UnsubscribeConfirmation" || subscriptions.get(to.arn) === to;
    send(to, type, parts.MessageId, body, wanted);
  }

  function publish({ topicArn, message, subject, attributes }: Publication): string {
    const to = topic(topicArn);
    if (!message) throw invalidParameter("Empty message");
    const limit = Number(to.attributes.get("MaximumMessageSize") ?? MAX_MESSAGE_BYTES);
    if (Buffer.byteLength(message) > limit) throw invalidParameter("Message too long");
    if (subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject)) {
      throw invalidParameter("Subject");
    }
    const MessageId = randomUUID();
    const parts = {
      MessageId,
      TopicArn: topicArn,
      Timestamp: timestamp(),
      Message: message,
      Subject: subject,
    };
    const envelope = notification(parts, versionOf(to), signer);
    for (const receiver of subscriptionsOf(to)) {
      if (!receiver.confirmed || !passesFilter(receiver, message, attributes)) continue;
      const UnsubscribeURL = `${url}/?Action=Unsubscribe&SubscriptionArn=${receiver.arn}`;
      const raw = receiver.attributes.get("RawMessageDelivery") === "true";
      const body = raw
        ? message
        : envelopeBody({ ...envelope, UnsubscribeURL, MessageAttributes: attributes });
      send(receiver, "Notification", MessageId, body, () => subscriptions.get(receiver.arn) === receiver);
    }
    return MessageId;
  }

  return {
    topics,
    subscriptions,
    deliveries,
    topic,
    subscription,
    subscriptionsOf,
    publish,

    counts(of) {
      const all = subscriptionsOf(of);
      const confirmed = all.filter((item) => item.confirmed).length;
      return { confirmed, pending: all.length - confirmed };
    },

    createTopic(region, name, attributes, tags) {
      if (!/^[A-Za-z0-9_-]{1,256}$/.test(name)) throw invalidParameter("Topic Name");
      const topicArn = arn("sns", region, account, name);
      const existing = topics.get(topicArn);
      if (existing) {
        if ([...attributes].some(([key, value]) => !sameValue(existing.attributes.get(key), value))) {
          throw invalidParameter("Attributes Reason: Topic already exists with different attributes");
        }
        const sameTags =
          tags.size === existing.tags.size && [...tags].every(([k, v]) => existing.tags.get(k) === v);
        if (tags.size > 0 && !sameTags) {
          throw invalidParameter("Tags Reason: Topic already exists with different tags");
        }
        return existing;
      }
      const created = newTopic(topicArn, region, account);
      for (const [key, value] of attributes) setTopicAttribute(created, key, value);
      for (const [key, value] of tags) created.tags.set(key, value);
      topics.set(topicArn, created);
      return created;
    },

    deleteTopic(topicArn) {
      topics.delete(topicArn);
      for (const item of subscriptions.values()) {
        if (item.topic.arn === topicArn) subscriptions.delete(item.arn);
      }
    },

    subscribe(topicArn, protocol, endpoint, attributes) {
      const to = topic(topicArn);
      checkEndpoint(protocol, endpoint);
      const existing = subscriptionsOf(to).find(
        (item) => item.protocol === protocol && item.endpoint === endpoint,
      );
      if (existing) {
        const actual = describeSubscription(existing);
        if ([...attributes].some(([key, value]) => !sameValue(actual.get(key), value))) {
          throw invalidParameter("Attributes Reason: Subscription already exists with different attributes");
        }
        if (!existing.confirmed) sendConfirmation(existing, "SubscriptionConfirmation");
        return existing;
      }
      const created: Subscription = {
        arn: `${topicArn}:${randomUUID()}`,
        topic: to,
        protocol,
        endpoint,
        attributes: new Map(),
        // A queue of the topic's own account needs no confirmation.
        confirmed: protocol === "sqs",
        confirmedBySigned: protocol === "sqs",
        authenticateOnUnsubscribe: false,
        askedAt: clock.now(),
      };
      for (const [key, value] of attributes) setSubscriptionAttribute(created, key, value);
      subscriptions.set(created.arn, created);
      if (!created.confirmed) sendConfirmation(created, "SubscriptionConfirmation");
      return created;
    },

    confirm(topicArn, token, { signed, authenticateOnUnsubscribe }) {
      const to = topic(topicArn);
      const found = tokens.get(token);
      if (!found || found.subscription.topic !== to || found.expiresAt < clock.now()) {
        throw invalidParameter("Token");
      }
      const confirmed = found.subscription;
      if (!confirmed.confirmed) {
        confirmed.confirmed = true;
        confirmed.confirmedBySigned = signed;
        confirmed.authenticateOnUnsubscribe = signed && authenticateOnUnsubscribe;
      }
      if (!subscriptions.has(confirmed.arn)) to.deletedSubscriptions--;
      subscriptions.set(confirmed.arn, confirmed);
      return confirmed;
    },

    unsubscribe(subscriptionArn, { signed }) {
      const parts = subscriptionArn.split(":").length;
      if (parts < 6) {
        throw invalidParameter(`SubscriptionArn Reason: An ARN must have at least 6 elements, not ${parts}`);
      }
      const removed = subscriptions.get(subscriptionArn);
      if (!removed) return;
      if (!removed.confirmed) {
        throw invalidParameter("Cannot unsubscribe a subscription that is pending confirmation");
      }
      if (removed.authenticateOnUnsubscribe && !signed) {
        throw awsError("AuthorizationError", "Unsubscribing this subscription needs a signed request", 403);
      }
      subscriptions.delete(subscriptionArn);
      removed.topic.deletedSubscriptions++;
      if (removed.protocol !== "sqs") sendConfirmation(removed, "UnsubscribeConfirmation");
    },

    publishAs(publication) {
      const { service, sourceAccount, sourceArn, topicArn } = publication;
      const to = topic(topicArn);
      const context = { "aws:sourceaccount": sourceAccount, "aws:sourcearn": sourceArn };
      const request = { service, action: "sns:Publish", resource: topicArn, context };
      if (!allows(to.attributes.get("Policy"), request)) {
        throw awsError(
          "AuthorizationError",
          `User: ${service} is not authorized to perform: SNS:Publish on resource: ${topicArn}`,
          403,
        );
      }
      if (service === "config.amazonaws.com" && to.attributes.has("KmsMasterKeyId")) {
        throw awsError("KMSAccessDenied", "AWS Config cannot publish to an encrypted topic");
      }
      return publish(publication);
    },
  };
}

/** A body that is no JSON object never passes a body filter. */
function passesFilter(
  { attributes: settings }: Subscription,
  message: string,
  attributes: MessageAttributes | undefined,
): boolean {
  const filter = settings.get("FilterPolicy");
  if (filter === undefined) return true;
  const pattern = parseObject(filter);
  if (settings.get("FilterPolicyScope") === "MessageBody") {
    const body = parseObject(message);
    return body !== undefined && matchesPattern(pattern, body);
  }
  const values = Object.entries(attributes ?? {}).map(([name, { Value }]) => [name, Value] as const);
  return matchesPattern(pattern, Object.fromEntries(values));
}
