import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  ConfirmSubscriptionCommand,
  GetTopicAttributesCommand,
  PublishCommand,
  SetTopicAttributesCommand,
  SNSClient,
} from "@aws-sdk/client-sns";
import { GetQueueUrlCommand, PurgeQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { aec } from "../helpers/aec.ts";

/** An AWS that speaks SNS and SQS: the sandbox or a public emulator. */
export interface AwsUnderTest {
  url: string;
  clock: Clock;
  accountId: string;
  /** LocalStack takes the account from a key id of 12 digits. */
  accessKeyId: string;
  /** Whether subscriptions of HTTP endpoints wait for a confirmation. moto counts them as confirmed at once. */
  confirms: boolean;
  /** Whether GetTopicAttributes tells the signature version. moto takes it and does not. */
  tellsSignatureVersion: boolean;
  /** Whether a body filter's `exists: false` holds where the parent is absent too. moto wants the parent to be there. */
  seesAbsentParents: boolean;
  stop(): Promise<void>;
}

const REGION = "us-east-1";

interface Outcome {
  topicArn: string;
  state: string;
  changes: { resource: string; action: string }[];
  drift: { resource: string }[];
}

/** `aec sns create`, `status` and `delete` against one AWS. */
export function snsContract(start: () => Promise<AwsUnderTest>): void {
  let aws: AwsUnderTest;
  let sns: SNSClient;
  let sqs: SQSClient;
  let endpoint: string;
  let env: Record<string, string>;
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { Type, TopicArn, Token } = JSON.parse(body) as Record<string, string>;
    received.push(Type ?? "");
    response.end();
    if (Type === "SubscriptionConfirmation")
      await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token }));
  });

  beforeAll(async () => {
    aws = await start();
    const { accessKeyId } = aws;
    env = {
      AWS_ENDPOINT_URL: aws.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: "test",
    };
    const config = {
      endpoint: aws.url,
      region: REGION,
      credentials: { accessKeyId, secretAccessKey: "test" },
    };
    sns = new SNSClient(config);
    sqs = new SQSClient(config);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/aws/notify`;
  }, 120_000);
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await aws?.stop();
  });

  const run = async (command: string, ...argv: string[]) => {
    const outcome = await aec(["sns", command, "--endpoint", endpoint, "-o", "json", ...argv], {
      clock: aws.clock,
      env,
    });
    return { exit: outcome.exit, output: outcome.stdout + outcome.stderr, result: outcome.json<Outcome>() };
  };
  const expected = (changes: { resource: string }[]) =>
    changes.filter(({ resource }) => aws.tellsSignatureVersion || resource !== "topic signature version");
  const attributes = async (TopicArn: string) =>
    (await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes ?? {};

  test("create makes everything and ends when the subscription is confirmed", async () => {
    const { exit, output, result } = await run("create", "--yes", "--source-account", "000000000042");
    expect(exit, output).toBe(0);
    expect(result.topicArn).toBe(`arn:aws:sns:${REGION}:${aws.accountId}:aec-default`);
    expect(result.state).toBe("confirmed");
    expect(result.changes.every(({ action }) => action === "create")).toBe(true);
    if (aws.confirms) expect(received).toContain("SubscriptionConfirmation");
    const { Policy = "", SignatureVersion } = await attributes(result.topicArn);
    if (aws.tellsSignatureVersion) expect(SignatureVersion).toBe("2");
    const sids = (JSON.parse(Policy).Statement as { Sid: string }[]).map(({ Sid }) => Sid);
    expect(sids).toEqual([expect.stringContaining("default_statement"), "aecConfig", "aecEventBridge"]);
    await sqs.send(new GetQueueUrlCommand({ QueueName: "aec-default-dlq" }));
  });

  test("a second run finds nothing to change, and status no drift", async () => {
    const again = await run("create", "--yes");
    expect(again.exit, again.output).toBe(0);
    expect(expected(again.result.changes.filter(({ action }) => action !== "none"))).toEqual([]);
    const status = await run("status", "--exit-code");
    expect(expected(status.result.drift), status.output).toEqual([]);
    expect(status.exit).toBe(aws.tellsSignatureVersion ? 0 : 3);
  });

  test("drift is told and mended; statements of others stay", async () => {
    const { result } = await run("status");
    const TopicArn = result.topicArn;
    const { Policy = "" } = await attributes(TopicArn);
    const [owner] = JSON.parse(Policy).Statement;
    const theirs = { ...owner, Sid: "theirs" };
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName, AttributeValue }));
    await set("Policy", JSON.stringify({ Version: "2008-10-17", Statement: [owner, theirs] }));
    await set("SignatureVersion", "1");
    const drifted = await run("status", "--exit-code");
    expect(drifted.exit).toBe(3);
    expect(drifted.result.drift.map(({ resource }) => resource)).toEqual([
      "topic policy",
      "topic signature version",
    ]);
    const mended = await run("create", "--yes");
    expect(mended.exit, mended.output).toBe(0);
    const after = JSON.parse((await attributes(TopicArn)).Policy ?? "").Statement as { Sid: string }[];
    expect(after.map(({ Sid }) => Sid)).toEqual([owner.Sid, "theirs", "aecConfig", "aecEventBridge"]);
  });

  test("over SQS with a filter: made once, then nothing to change, and what does not pass stays out", async () => {
    const argv = ["--protocol", "sqs", "--topic-name", "queued"];
    const queued = (command: string, ...more: string[]) =>
      aec(["sns", command, ...argv, "-o", "json", ...more], { clock: aws.clock, env });
    const first = await queued("create", "--filter", "--yes");
    expect(first.exit, first.stdout).toBe(0);
    const { topicArn, queueUrl } = first.json<Outcome & { queueUrl: string }>();
    const again = (await queued("create", "--filter", "--yes")).json<Outcome>();
    expect(expected(again.changes.filter(({ action }) => action !== "none"))).toEqual([]);
    const item = (resourceType: string) =>
      JSON.stringify({
        messageType: "ConfigurationItemChangeNotification",
        configurationItem: { resourceType },
      });
    const others = [
      JSON.stringify({ source: "aws.autoscaling", "detail-type": "EC2 Instance Launch Successful" }),
      JSON.stringify({ aec: "test" }),
    ];
    const group = item("AWS::AutoScaling::AutoScalingGroup");
    const wanted = aws.seesAbsentParents ? [group, ...others] : [group];
    const unwanted = [item("AWS::S3::Bucket"), JSON.stringify({ messageType: "Other" })];
    for (const Message of [...unwanted, group, ...others]) {
      await sns.send(new PublishCommand({ TopicArn: topicArn, Message }));
    }
    const bodies: string[] = [];
    for (let tries = 0; tries < 20 && bodies.length < wanted.length; tries += 1) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      bodies.push(...Messages.map(({ Body = "{}" }) => JSON.parse(Body).Message));
    }
    expect(bodies.toSorted()).toEqual(wanted.toSorted());
    for (const name of ["queued-events", "queued-dlq"]) {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    }
    expect((await queued("delete", "--yes")).exit).toBe(0);
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: "queued-events" }))).rejects.toThrow();
  });

  test("delete leaves nothing, twice", async () => {
    expect((await run("delete", "--yes")).exit).toBe(0);
    const { result } = await run("status");
    expect(result).toMatchObject({ exists: false, subscriptions: [] });
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: "aec-default-dlq" }))).rejects.toThrow();
    expect((await run("delete", "--yes")).exit).toBe(0);
  });
}
