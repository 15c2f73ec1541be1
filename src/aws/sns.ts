import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTagsForResourceCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall, isMissing } from "./errors.ts";
import type { Place } from "./places.ts";
import { tagList, tagsOf } from "./tags.ts";

export interface Topic {
  arn: string;
  attributes: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}

export interface Subscription {
  /** Absent while the confirmation is pending. */
  arn: string | undefined;
  protocol: string;
  endpoint: string;
}

/** The SNS calls that `aec` makes, in one account and Region. */
export function createSns(context: Context, place: Place) {
  const client = watchCalls(new SNSClient(clientConfig(context, place, "SNS")), context);
  return {
    /** The topic with its tags, or undefined. */
    async topic(arn: string): Promise<Topic | undefined> {
      try {
        const [{ Attributes }, { Tags }] = await Promise.all([
          awsCall("sns:GetTopicAttributes", () =>
            client.send(new GetTopicAttributesCommand({ TopicArn: arn })),
          ),
          awsCall("sns:ListTagsForResource", () =>
            client.send(new ListTagsForResourceCommand({ ResourceArn: arn })),
          ),
        ]);
        return { arn, attributes: Attributes ?? {}, tags: tagsOf(Tags) };
      } catch (error) {
        if (isMissing(error, /^(NotFound|ResourceNotFound)/)) return undefined;
        throw error;
      }
    },
    createTopic: (name: string, tags: Readonly<Record<string, string>>) =>
      awsCall("sns:CreateTopic", async () => {
        await client.send(new CreateTopicCommand({ Name: name, Tags: tagList(tags) }));
      }),
    setTopicAttribute: (arn: string, name: string, value: string) =>
      awsCall("sns:SetTopicAttributes", () =>
        client.send(
          new SetTopicAttributesCommand({ TopicArn: arn, AttributeName: name, AttributeValue: value }),
        ),
      ),
    deleteTopic: (arn: string) =>
      awsCall("sns:DeleteTopic", () => client.send(new DeleteTopicCommand({ TopicArn: arn }))),
    async subscriptions(topicArn: string): Promise<Subscription[]> {
      const found: Subscription[] = [];
      let token: string | undefined;
      do {
        const page = await awsCall("sns:ListSubscriptionsByTopic", () =>
          client.send(new ListSubscriptionsByTopicCommand({ TopicArn: topicArn, NextToken: token })),
        );
        for (const { SubscriptionArn, Protocol, Endpoint } of page.Subscriptions ?? []) {
          const arn = SubscriptionArn?.startsWith("arn:") ? SubscriptionArn : undefined;
          found.push({ arn, protocol: Protocol ?? "", endpoint: Endpoint ?? "" });
        }
        token = page.NextToken;
      } while (token);
      return found;
    },
    subscriptionAttributes: (arn: string) =>
      awsCall("sns:GetSubscriptionAttributes", async () => {
        const { Attributes } = await client.send(
          new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }),
        );
        return Attributes ?? {};
      }),
    setSubscriptionAttribute: (arn: string, name: string, value: string) =>
      awsCall("sns:SetSubscriptionAttributes", () =>
        client.send(
          new SetSubscriptionAttributesCommand({
            SubscriptionArn: arn,
            AttributeName: name,
            AttributeValue: value,
          }),
        ),
      ),
    /** Subscribes, or asks for the confirmation once more; returns the ARN, which is known while pending too. */
    subscribe: (topicArn: string, endpoint: string, attributes: Readonly<Record<string, string>>) =>
      awsCall("sns:Subscribe", async () => {
        const { SubscriptionArn } = await client.send(
          new SubscribeCommand({
            TopicArn: topicArn,
            Protocol: endpoint.startsWith("arn:") ? "sqs" : new URL(endpoint).protocol.slice(0, -1),
            Endpoint: endpoint,
            Attributes: { ...attributes },
            ReturnSubscriptionArn: true,
          }),
        );
        return SubscriptionArn ?? "";
      }),
    unsubscribe: (arn: string) =>
      awsCall("sns:Unsubscribe", () => client.send(new UnsubscribeCommand({ SubscriptionArn: arn }))),
    /** Returns the message's id. */
    publish: (topicArn: string, message: string) =>
      awsCall("sns:Publish", async () => {
        const { MessageId = "" } = await client.send(
          new PublishCommand({ TopicArn: topicArn, Message: message }),
        );
        return MessageId;
      }),
    /** Confirms by the signed call; afterwards only the owner's credentials can unsubscribe. */
    confirm: (topicArn: string, token: string) =>
      awsCall("sns:ConfirmSubscription", async () => {
        const { SubscriptionArn } = await client.send(
          new ConfirmSubscriptionCommand({
            TopicArn: topicArn,
            Token: token,
            AuthenticateOnUnsubscribe: "true",
          }),
        );
        return SubscriptionArn;
      }),
  };
}

export type Sns = ReturnType<typeof createSns>;
