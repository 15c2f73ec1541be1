import { X509Certificate } from "node:crypto";
import { PublishCommand, SetTopicAttributesCommand } from "@aws-sdk/client-sns";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effectivePolicy, retryDelays } from "../../../src/sandbox/aws/sns/retry.ts";
import { type Envelope, REGION, receiver, sandbox, subscribed, verifies } from "./support.ts";

describe("envelopes", () => {
  test.each(["1", "2"])("of all three types verify with signature version %s", async (version) => {
    const world = await sandbox();
    const { aws, sns, clock } = world;
    const endpoint = await receiver();
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    if (version === "2") {
      const attribute = { AttributeName: "SignatureVersion", AttributeValue: "2" };
      await sns.send(new SetTopicAttributesCommand({ TopicArn: topic.arn, ...attribute }));
    }
    const { arn } = aws.sns.subscribe(topic.arn, "http", endpoint.url, new Map());
    await clock.advance(0);
    const { Token } = endpoint.envelopes()[0] as Envelope;
    aws.sns.confirm(topic.arn, Token ?? "", { signed: true, authenticateOnUnsubscribe: false });
    const { MessageId } = await sns.send(
      new PublishCommand({
        TopicArn: topic.arn,
        Message: 'line\n"two" ünï',
        Subject: "A subject",
        MessageAttributes: { kind: { DataType: "String", StringValue: "test" } },
      }),
    );
    await sns.send(new PublishCommand({ TopicArn: topic.arn, Message: "no subject" }));
    await clock.advance(0);
    aws.sns.unsubscribe(arn, { signed: true });
    await clock.advance(0);

    const envelopes = endpoint.envelopes();
    const types = ["SubscriptionConfirmation", "Notification", "Notification", "UnsubscribeConfirmation"];
    expect(envelopes.map(({ Type }) => Type)).toEqual(types);
    const served = await (await fetch(aws.certificate.url)).text();
    expect(served).toBe(aws.certificate.pem);
    for (const envelope of envelopes) {
      expect(envelope.SignatureVersion).toBe(version);
      expect(envelope.SigningCertURL).toBe(aws.certificate.url);
      expect(envelope.Timestamp).toBe("2026-11-20T12:00:00.000Z");
      expect(verifies(envelope, served), envelope.Type).toBe(true);
      const signed = [
        "Message",
        "MessageId",
        "Timestamp",
        "TopicArn",
        "Type",
        "Subject",
        "Token",
        "SubscribeURL",
      ];
      for (const name of signed.filter((member) => member in envelope)) {
        expect(verifies({ ...envelope, [name]: `${envelope[name]}x` }, served), name).toBe(false);
      }
    }

    const [asked, notified, plain, ended] = endpoint.got;
    const [first, second] = envelopes;
    expect(Object.keys(first ?? {})).toEqual([
      ...["Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp"],
      ...["SignatureVersion", "Signature", "SigningCertURL"],
    ]);
    expect(second).toMatchObject({
      MessageId,
      Subject: "A subject",
      Message: 'line\n"two" ünï',
      MessageAttributes: { kind: { Type: "String", Value: "test" } },
      UnsubscribeURL: `${aws.url}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
    });
    expect(JSON.parse(plain?.body ?? "")).not.toHaveProperty("Subject");
    expect(notified?.headers).toMatchObject({
      "x-amz-sns-message-type": "Notification",
      "x-amz-sns-message-id": MessageId,
      "x-amz-sns-topic-arn": topic.arn,
      "x-amz-sns-subscription-arn": arn,
      "content-type": "text/plain; charset=UTF-8",
      "user-agent": "Amazon Simple Notification Service Agent",
    });
    expect(asked?.headers).not.toHaveProperty("x-amz-sns-subscription-arn");
    expect(ended?.headers).toHaveProperty("x-amz-sns-subscription-arn", arn);
  });

  test("raw delivery sends the bare message, and says so in a header", async () => {
    const world = await sandbox();
    const endpoint = await receiver();
    const { topicArn } = await subscribed(world, endpoint, { RawMessageDelivery: "true" });
    world.aws.sns.publish({ topicArn, message: "bare" });
    await world.clock.advance(0);
    expect(endpoint.got).toMatchObject([{ body: "bare", headers: { "x-amz-sns-rawdelivery": "true" } }]);
  });

  test("certificates can be expired or for another host", async () => {
    const { aws } = await sandbox({
      certificate: {
        commonName: "sns.example.org",
        altNames: ["sns.example.org"],
        notAfter: Date.UTC(2026, 0, 1),
      },
    });
    const certificate = new X509Certificate(aws.certificate.pem);
    expect(certificate.checkHost("sns.example.org")).toBe("sns.example.org");
    expect(certificate.checkHost("sns.amazonaws.com")).toBeUndefined();
    expect(Date.parse(certificate.validTo)).toBe(Date.UTC(2026, 0, 1));
    expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });
});

describe("the URLs in envelopes work unsigned", () => {
  test("SubscribeURL confirms, UnsubscribeURL ends it, and the confirmation of that restores it", async () => {
    const { aws, clock } = await sandbox();
    const endpoint = await receiver();
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    const { arn } = aws.sns.subscribe(topic.arn, "http", endpoint.url, new Map());
    await clock.advance(0);
    const visit = async (url: string | undefined) => {
      const answer = await fetch(url ?? "");
      await clock.advance(0);
      return { status: answer.status, body: await answer.text() };
    };
    expect(await visit(endpoint.envelopes()[0]?.SubscribeURL)).toMatchObject({
      status: 200,
      body: expect.stringContaining(`<SubscriptionArn>${arn}</SubscriptionArn>`),
    });
    aws.sns.publish({ topicArn: topic.arn, message: "m" });
    await clock.advance(0);
    expect((await visit(endpoint.envelopes()[1]?.UnsubscribeURL)).status).toBe(200);
    expect(aws.sns.subscriptions.size).toBe(0);
    expect(endpoint.envelopes()[2]?.Type).toBe("UnsubscribeConfirmation");
    await visit(endpoint.envelopes()[2]?.SubscribeURL);
    expect(aws.sns.subscriptions.get(arn)?.confirmed).toBe(true);
    expect(aws.requests.map(({ action, region }) => `${action} ${region}`)).toEqual([
      `ConfirmSubscription ${REGION}`,
      `Unsubscribe ${REGION}`,
      `ConfirmSubscription ${REGION}`,
    ]);
  });

  test("but not Unsubscribe once AuthenticateOnUnsubscribe was asked for", async () => {
    const { aws, clock } = await sandbox();
    const endpoint = await receiver();
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    const { arn } = aws.sns.subscribe(topic.arn, "http", endpoint.url, new Map());
    await clock.advance(0);
    const { Token = "" } = endpoint.envelopes()[0] ?? {};
    aws.sns.confirm(topic.arn, Token, { signed: true, authenticateOnUnsubscribe: true });
    const answer = await fetch(`${aws.url}/?Action=Unsubscribe&SubscriptionArn=${encodeURIComponent(arn)}`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("<Code>AuthorizationError</Code>");
    expect(aws.sns.subscriptions.size).toBe(1);
  });
});

describe("retries", () => {
  test("5xx is retried 3 times 20 s apart with the same id and body", async () => {
    const world = await sandbox();
    const { aws, clock } = world;
    let status = 200;
    const endpoint = await receiver(() => status);
    const { topicArn, subscriptionArn } = await subscribed(world, endpoint);
    const from = clock.now();
    status = 503;
    const messageId = aws.sns.publish({ topicArn, message: "m" });
    await clock.advance(3_600_000);
    expect(endpoint.got).toHaveLength(4);
    expect(new Set(endpoint.got.map(({ body }) => body)).size).toBe(1);
    const tries = aws.sns.deliveries.filter((delivery) => delivery.type === "Notification");
    expect(tries).toEqual(
      [0, 20_000, 40_000, 60_000].map((after, index) => ({
        messageId,
        type: "Notification",
        topicArn,
        subscriptionArn,
        endpoint: endpoint.url,
        attempt: index + 1,
        status: 503,
        at: from + after,
      })),
    );
  });

  test("a time-out takes 15 s, so that the next try comes after 35 s", async () => {
    const world = await sandbox();
    const { aws, clock } = world;
    const answers: (number | "hang")[] = [200, "hang", 200];
    const endpoint = await receiver(() => answers.shift() ?? 200);
    const { topicArn } = await subscribed(world, endpoint);
    const from = clock.now();
    aws.sns.publish({ topicArn, message: "m" });
    await clock.advance(60_000);
    const tries = aws.sns.deliveries.filter((delivery) => delivery.type === "Notification");
    expect(tries).toMatchObject([
      { attempt: 1, error: "no answer within 15 s", at: from },
      { attempt: 2, status: 200, at: from + 35_000 },
    ]);
  });

  test.each([204, 302, 403, 404, 429])("%i is the end of it", async (status) => {
    const world = await sandbox();
    let answer = 200;
    const endpoint = await receiver(() => answer);
    const { topicArn } = await subscribed(world, endpoint);
    answer = status;
    world.aws.sns.publish({ topicArn, message: "m" });
    await world.clock.advance(3_600_000);
    expect(endpoint.got).toHaveLength(1);
  });

  test("a SubscriptionConfirmation is retried too, after a lost connection", async () => {
    const { aws, clock } = await sandbox();
    const answers: (number | "reset")[] = ["reset", 200];
    const endpoint = await receiver(() => answers.shift() ?? 200);
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    aws.sns.subscribe(topic.arn, "http", endpoint.url, new Map());
    await clock.advance(20_000);
    const [first, second, ...rest] = endpoint.envelopes();
    expect(rest).toEqual([]);
    expect(second).toEqual(first);
    expect(aws.sns.deliveries).toMatchObject([
      { error: expect.stringContaining("socket hang up") },
      { status: 200 },
    ]);
  });

  test("unsubscribing ends them", async () => {
    const world = await sandbox();
    let answer = 200;
    const endpoint = await receiver(() => answer);
    const { topicArn, subscriptionArn } = await subscribed(world, endpoint);
    answer = 500;
    world.aws.sns.publish({ topicArn, message: "m" });
    await world.clock.advance(0);
    world.aws.sns.unsubscribe(subscriptionArn, { signed: true });
    await world.clock.advance(3_600_000);
    const types = world.aws.sns.deliveries.slice(1).map(({ type }) => type);
    expect(types).toEqual(["Notification", ...Array(4).fill("UnsubscribeConfirmation")]);
  });

  test("hosts other than loopback are never contacted", async () => {
    const { aws, clock } = await sandbox();
    const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
    aws.sns.subscribe(topic.arn, "https", "https://aec.example.com/", new Map());
    await clock.advance(0);
    expect(aws.sns.deliveries).toMatchObject([{ error: expect.stringContaining("loopback endpoints only") }]);
  });
});

describe("delivery policies", () => {
  const delays = (policy: object) =>
    retryDelays(effectivePolicy(undefined, JSON.stringify({ healthyRetryPolicy: policy })).retry).map(
      (ms) => ms / 1000,
    );

  test("run through the phases", () => {
    const phases = { numNoDelayRetries: 2, numMinDelayRetries: 1, numMaxDelayRetries: 2 };
    const range = { minDelayTarget: 1, maxDelayTarget: 16, numRetries: 10 };
    expect(delays({ ...phases, ...range, backoffFunction: "exponential" })).toEqual(
      [0, 0, 1, 1, 2, 4, 8, 16, 16, 16].map((n) => expect.closeTo(n)),
    );
    expect(delays({ minDelayTarget: 5, maxDelayTarget: 20, numRetries: 4 })).toEqual([5, 10, 15, 20]);
  });

  test("end after 3,600 s, and AWS's sample fits", () => {
    expect(delays({ minDelayTarget: 600, maxDelayTarget: 600, numRetries: 100 })).toHaveLength(6);
    const sample = { minDelayTarget: 1, maxDelayTarget: 60, numRetries: 50, numNoDelayRetries: 3 };
    const counts = { numMinDelayRetries: 2, numMaxDelayRetries: 35, backoffFunction: "exponential" };
    expect(delays({ ...sample, ...counts })).toHaveLength(50);
  });

  test("never wait longer than the cap in sum, nor shrink", () => {
    const whole = (min: number, max: number) => fc.integer({ min, max });
    fc.assert(
      fc.property(
        fc.record({
          minDelayTarget: whole(1, 60),
          maxDelayTarget: whole(60, 3600),
          numRetries: whole(0, 100),
          numNoDelayRetries: whole(0, 5),
          numMinDelayRetries: whole(0, 5),
          numMaxDelayRetries: whole(0, 5),
          backoffFunction: fc.constantFrom("linear", "arithmetic", "geometric", "exponential"),
        }),
        (policy) => {
          const waits = delays(policy);
          expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(3600);
          expect(waits).toEqual([...waits].sort((one, other) => one - other));
        },
      ),
    );
  });

  test("of a subscription are obeyed, unless the topic disables overrides", async () => {
    const own = JSON.stringify({
      healthyRetryPolicy: { minDelayTarget: 1, maxDelayTarget: 1, numRetries: 2 },
      requestPolicy: { headerContentType: "application/json" },
    });
    const world = await sandbox();
    let answer = 200;
    const endpoint = await receiver(() => answer);
    const { topicArn } = await subscribed(world, endpoint, { DeliveryPolicy: own });
    answer = 500;
    world.aws.sns.publish({ topicArn, message: "m" });
    await world.clock.advance(2_000);
    expect(endpoint.got).toHaveLength(3);
    expect(endpoint.got[0]?.headers["content-type"]).toBe("application/json");
    const topicPolicy = JSON.stringify({ http: { disableSubscriptionOverrides: true } });
    expect(effectivePolicy(topicPolicy, own).retry.numRetries).toBe(3);
  });
});
