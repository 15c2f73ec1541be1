import { arnAccount, arnRegion } from "../arn.ts";
import { awsError } from "../error.ts";
import { asRecord, flag, type Input, optionalText, record, tagMap, text, textMap } from "../input.ts";
import { page } from "../paging.ts";
import { queryProtocol } from "../protocol.ts";
import type { Call, Service } from "../service.ts";
import type { MessageAttributes } from "./envelope.ts";
import { invalidParameter } from "./error.ts";
import type { SnsModel } from "./model.ts";
import { describeSubscription, type Subscription, setSubscriptionAttribute } from "./subscriptions.ts";
import { describeTopic, setTopicAttribute, type Topic } from "./topics.ts";

const PAGE_SIZE = 100;

/** The SNS query API over `sns` for callers of `account`; topics of other accounts are closed to them. */
export function createSnsService(sns: SnsModel, account: string): Service {
  const topicArn = (call: Call, name = "TopicArn") => {
    const arn = text(call.input, name);
    if (call.signed && arnRegion(arn) !== call.region) throw invalidParameter("TopicArn");
    if (arnAccount(arn) !== account) throw awsError("AuthorizationError", `no access to ${arn}`, 403);
    return arn;
  };
  const topicOf = (call: Call) => sns.topic(topicArn(call));
  const tagged = (call: Call): Topic => {
    const found = sns.topics.get(text(call.input, "ResourceArn"));
    if (!found) throw awsError("ResourceNotFound", "Resource does not exist", 404);
    return found;
  };

  return {
    protocol: queryProtocol("http://sns.amazonaws.com/doc/2010-03-31/"),
    actions: {
      CreateTopic: ({ input, region }) => ({
        TopicArn: sns.createTopic(
          region,
          text(input, "Name"),
          textMap(input, "Attributes"),
          tagMap(input, "Tags"),
        ).arn,
      }),
      DeleteTopic: (call) => sns.deleteTopic(topicArn(call)),
      GetTopicAttributes: (call) => {
        const topic = topicOf(call);
        return { Attributes: describeTopic(topic, sns.counts(topic)) };
      },
      SetTopicAttributes: (call) =>
        setTopicAttribute(
          topicOf(call),
          text(call.input, "AttributeName"),
          optionalText(call.input, "AttributeValue") ?? "",
        ),
      ListTopics: ({ input, region }) => {
        const own = [...sns.topics.values()].filter(
          (topic) => topic.region === region && topic.owner === account,
        );
        const { items, next } = page(own, optionalText(input, "NextToken"), PAGE_SIZE);
        return { Topics: items.map(({ arn }) => ({ TopicArn: arn })), NextToken: next };
      },
      TagResource: (call) => {
        const { tags } = tagged(call);
        for (const [key, value] of tagMap(call.input, "Tags")) tags.set(key, value);
      },
      ListTagsForResource: (call) => ({
        Tags: [...tagged(call).tags].map(([Key, Value]) => ({ Key, Value })),
      }),
      Subscribe: (call) => {
        const { input } = call;
        const subscription = sns.subscribe(
          topicArn(call),
          text(input, "Protocol"),
          text(input, "Endpoint"),
          textMap(input, "Attributes"),
        );
        const shown = subscription.confirmed || flag(input, "ReturnSubscriptionArn");
        return { SubscriptionArn: shown ? subscription.arn : "pending confirmation" };
      },
      ConfirmSubscription: (call) => {
        const authenticateOnUnsubscribe = flag(call.input, "AuthenticateOnUnsubscribe");
        const token = text(call.input, "Token");
        const { signed } = call;
        const { arn } = sns.confirm(topicArn(call), token, { signed, authenticateOnUnsubscribe });
        return { SubscriptionArn: arn };
      },
      Unsubscribe: ({ input, signed }) => sns.unsubscribe(text(input, "SubscriptionArn"), { signed }),
      ListSubscriptionsByTopic: (call) => {
        const all = sns.subscriptionsOf(topicOf(call));
        const { items, next } = page(all, optionalText(call.input, "NextToken"), PAGE_SIZE);
        return { Subscriptions: items.map(listed), NextToken: next };
      },
      GetSubscriptionAttributes: ({ input }) => ({
        Attributes: describeSubscription(sns.subscription(text(input, "SubscriptionArn"))),
      }),
      SetSubscriptionAttributes: ({ input }) =>
        setSubscriptionAttribute(
          sns.subscription(text(input, "SubscriptionArn")),
          text(input, "AttributeName"),
          optionalText(input, "AttributeValue") ?? "",
        ),
      Publish: (call) => {
        const { input } = call;
        const attributes = messageAttributes(record(input, "MessageAttributes"));
        const MessageId = sns.publish({
          topicArn: topicArn(call, input.TopicArn === undefined ? "TargetArn" : "TopicArn"),
          message: optionalText(input, "Message") ?? "",
          subject: optionalText(input, "Subject"),
          ...(attributes && { attributes }),
        });
        return { MessageId };
      },
    },
  };
}

function listed({ arn, topic, protocol, endpoint, confirmed }: Subscription) {
  return {
    SubscriptionArn: confirmed ? arn : "PendingConfirmation",
    Owner: topic.owner,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topic.arn,
  };
}

function messageAttributes(input: Input): MessageAttributes | undefined {
  const entries = Object.entries(input).map(([name, given]) => {
    const { DataType, StringValue, BinaryValue } = asRecord(given) ?? {};
    return [name, { Type: String(DataType), Value: String(StringValue ?? BinaryValue) }] as const;
  });
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
