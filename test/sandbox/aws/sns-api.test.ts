import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTagsForResourceCommand,
  ListTopicsCommand,
  PublishCommand,
  paginateListSubscriptionsByTopic,
  paginateListTopics,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
  TagResourceCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { describe, expect, test } from "vitest";
import { clients, REGION, receiver, sandbox } from "./support.ts";

const ARN = `arn:aws:sns:${REGION}:012345678901:events`;

describe("topics", () => {
  test("are created once per name, with AWS's defaults", async () => {
    const { sns } = await sandbox();
    const create = new CreateTopicCommand({ Name: "events", Tags: [{ Key: "managed-by", Value: "aec" }] });
    expect((await sns.send(create)).TopicArn).toBe(ARN);
    expect((await sns.send(create)).TopicArn).toBe(ARN);
    expect((await sns.send(new CreateTopicCommand({ Name: "events" }))).TopicArn).toBe(ARN);

    const { Attributes = {} } = await sns.send(new GetTopicAttributesCommand({ TopicArn: ARN }));
    expect(Attributes).toMatchObject({
      TopicArn: ARN,
      Owner: "012345678901",
      SubscriptionsConfirmed: "0",
      SubscriptionsPending: "0",
      SubscriptionsDeleted: "0",
    });
    expect(Attributes).not.toHaveProperty("SignatureVersion");
    expect(JSON.parse(Attributes.Policy ?? "")).toMatchObject({
      Id: "__default_policy_ID",
      Statement: [{ Sid: "__default_statement_ID", Resource: ARN }],
    });
    expect(JSON.parse(Attributes.EffectiveDeliveryPolicy ?? "")).toMatchObject({
      http: { defaultHealthyRetryPolicy: { numRetries: 3, minDelayTarget: 20 } },
    });
    const tags = await sns.send(new ListTagsForResourceCommand({ ResourceArn: ARN }));
    expect(tags.Tags).toEqual([{ Key: "managed-by", Value: "aec" }]);
  });

  test("refuse to be created again with other attributes or tags", async () => {
    const { sns } = await sandbox();
    await sns.send(new CreateTopicCommand({ Name: "events", Attributes: { SignatureVersion: "2" } }));
    await expect(
      sns.send(new CreateTopicCommand({ Name: "events", Attributes: { SignatureVersion: "1" } })),
    ).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    });
    await expect(
      sns.send(new CreateTopicCommand({ Name: "events", Tags: [{ Key: "a", Value: "b" }] })),
    ).rejects.toThrow("Topic already exists with different tags");
  });

  test("check and keep attributes and tags", async () => {
    const { sns } = await sandbox();
    await sns.send(new CreateTopicCommand({ Name: "events" }));
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.send(new SetTopicAttributesCommand({ TopicArn: ARN, AttributeName, AttributeValue }));
    for (const [name, value] of [
      ["Policy", "{no json"],
      ["Policy", '{"Statement":[{"Action":"s3:GetObject"}]}'],
      ["SignatureVersion", "3"],
      ["Colour", "blue"],
      ["DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}'],
    ] as const) {
      await expect(set(name, value), name).rejects.toMatchObject({ name: "InvalidParameterException" });
    }
    const policy = '{"Version":"2012-10-17","Statement":[]}';
    await set("Policy", policy);
    await set("SignatureVersion", "2");
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: ARN }));
    expect(Attributes).toMatchObject({ Policy: policy, SignatureVersion: "2" });

    await sns.send(new TagResourceCommand({ ResourceArn: ARN, Tags: [{ Key: "team", Value: "a & <b>" }] }));
    const { Tags } = await sns.send(new ListTagsForResourceCommand({ ResourceArn: ARN }));
    expect(Tags).toEqual([{ Key: "team", Value: "a & <b>" }]);
  });

  test("are listed 100 a page, per Region, and deleted with their subscriptions", async () => {
    const { aws, sns } = await sandbox();
    for (let n = 0; n < 205; n++) await sns.send(new CreateTopicCommand({ Name: `t${n}` }));
    const sizes: number[] = [];
    for await (const { Topics } of paginateListTopics({ client: sns }, {})) sizes.push(Topics?.length ?? 0);
    expect(sizes).toEqual([100, 100, 5]);
    const elsewhere = clients(aws, "us-east-1").sns;
    expect((await elsewhere.send(new ListTopicsCommand({}))).Topics ?? []).toEqual([]);

    const TopicArn = ARN.replace("events", "t0");
    await expect(elsewhere.send(new GetTopicAttributesCommand({ TopicArn }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const queue = `arn:aws:sqs:${REGION}:012345678901:q`;
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue }));
    await sns.send(new DeleteTopicCommand({ TopicArn }));
    await sns.send(new DeleteTopicCommand({ TopicArn }));
    expect(aws.sns.subscriptions.size).toBe(0);
    await expect(sns.send(new GetTopicAttributesCommand({ TopicArn }))).rejects.toMatchObject({
      name: "NotFoundException",
      $metadata: { httpStatusCode: 404 },
    });
  });
});

describe("subscriptions", () => {
  test("are pending until confirmed with the token, then countable and adjustable", async () => {
    const { sns, clock } = await sandbox();
    const endpoint = await receiver();
    await sns.send(new CreateTopicCommand({ Name: "events" }));
    const input = { TopicArn: ARN, Protocol: "http", Endpoint: endpoint.url };
    const first = await sns.send(new SubscribeCommand(input));
    expect(first.SubscriptionArn).toBe("pending confirmation");
    const again = await sns.send(new SubscribeCommand({ ...input, ReturnSubscriptionArn: true }));
    const SubscriptionArn = again.SubscriptionArn ?? "";
    expect(SubscriptionArn).toMatch(`${ARN}:`);

    const list = () => sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: ARN }));
    expect((await list()).Subscriptions).toMatchObject([{ SubscriptionArn: "PendingConfirmation" }]);
    await expect(sns.send(new UnsubscribeCommand({ SubscriptionArn }))).rejects.toThrow(
      "pending confirmation",
    );
    const attributes = async () =>
      (await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes;
    expect(await attributes()).toMatchObject({ PendingConfirmation: "true", RawMessageDelivery: "false" });

    await clock.advance(0);
    const [, { Token } = {}] = endpoint.envelopes();
    await expect(
      sns.send(new ConfirmSubscriptionCommand({ TopicArn: ARN, Token: "nonsense" })),
    ).rejects.toMatchObject({ name: "InvalidParameterException" });
    const confirmed = await sns.send(
      new ConfirmSubscriptionCommand({ TopicArn: ARN, Token, AuthenticateOnUnsubscribe: "true" }),
    );
    expect(confirmed.SubscriptionArn).toBe(SubscriptionArn);
    expect(await attributes()).toMatchObject({
      PendingConfirmation: "false",
      ConfirmationWasAuthenticated: "true",
    });
    const topic = await sns.send(new GetTopicAttributesCommand({ TopicArn: ARN }));
    expect(topic.Attributes).toMatchObject({ SubscriptionsConfirmed: "1", SubscriptionsPending: "0" });

    const set = (AttributeName: string, AttributeValue: string) =>
      sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }));
    await set("FilterPolicy", '{"messageType":["x"]}');
    await expect(set("FilterPolicy", "{")).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(set("RedrivePolicy", '{"deadLetterTargetArn":"nope"}')).rejects.toThrow("invalid arn");
    expect(await attributes()).toMatchObject({ FilterPolicy: '{"messageType":["x"]}' });
  });

  test("of the same endpoint are one; other attributes are refused, as are bad endpoints", async () => {
    const { sns } = await sandbox();
    await sns.send(new CreateTopicCommand({ Name: "events" }));
    const DeliveryPolicy = JSON.stringify({ healthyRetryPolicy: { numRetries: 5 } });
    const input = {
      TopicArn: ARN,
      Protocol: "https",
      Endpoint: "https://aec.example.com/",
      ReturnSubscriptionArn: true,
    };
    const one = await sns.send(new SubscribeCommand({ ...input, Attributes: { DeliveryPolicy } }));
    const two = await sns.send(
      new SubscribeCommand({ ...input, Attributes: { DeliveryPolicy: DeliveryPolicy.replace(":5", ": 5") } }),
    );
    expect(two.SubscriptionArn).toBe(one.SubscriptionArn);
    await expect(
      sns.send(new SubscribeCommand({ ...input, Attributes: { RawMessageDelivery: "true" } })),
    ).rejects.toThrow("Subscription already exists with different attributes");
    await expect(sns.send(new SubscribeCommand({ ...input, Protocol: "http" }))).rejects.toThrow(
      "Endpoint must match the specified protocol",
    );
  });

  test("that stay pending disappear after two days, and their token with them", async () => {
    const { aws, sns, clock } = await sandbox();
    const endpoint = await receiver();
    await sns.send(new CreateTopicCommand({ Name: "events" }));
    await sns.send(new SubscribeCommand({ TopicArn: ARN, Protocol: "http", Endpoint: endpoint.url }));
    await clock.advance(48 * 3_600_000 + 1);
    const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: ARN }));
    expect(Subscriptions).toEqual([]);
    const [{ Token } = {}] = endpoint.envelopes();
    await expect(sns.send(new ConfirmSubscriptionCommand({ TopicArn: ARN, Token }))).rejects.toThrow("Token");
    expect(aws.sns.subscriptions.size).toBe(0);
  });

  test("are listed 100 a page", async () => {
    const { aws, sns } = await sandbox();
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    for (let n = 0; n < 101; n++) {
      aws.sns.subscribe(topic.arn, "sqs", `arn:aws:sqs:${REGION}:012345678901:q${n}`, new Map());
    }
    const sizes: number[] = [];
    for await (const page of paginateListSubscriptionsByTopic({ client: sns }, { TopicArn: ARN })) {
      sizes.push(page.Subscriptions?.length ?? 0);
    }
    expect(sizes).toEqual([100, 1]);
  });
});

test("publications are checked as AWS checks them", async () => {
  const { sns } = await sandbox();
  await sns.send(new CreateTopicCommand({ Name: "events" }));
  const publish = (Message: string, Subject?: string) =>
    sns.send(new PublishCommand({ TopicArn: ARN, Message, Subject }));
  expect((await publish("x".repeat(262_144), "s".repeat(100))).MessageId).toMatch(/^[0-9a-f-]{36}$/);
  for (const [message, subject] of [
    ["x".repeat(262_145)],
    ["é".repeat(131_073)],
    ["x", "s".repeat(101)],
    ["x", "two\nlines"],
    ["x", "naïve"],
  ] as [string, string?][]) {
    await expect(publish(message, subject)).rejects.toMatchObject({ name: "InvalidParameterException" });
  }
});
