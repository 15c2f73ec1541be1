import { createVerify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigServiceClient } from "@aws-sdk/client-config-service";
import { EC2Client } from "@aws-sdk/client-ec2";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import { onTestFinished } from "vitest";
import { type AwsOptions, type SandboxAws, startAws } from "../../../src/sandbox/aws/server.ts";
import { manualClock } from "../../helpers/manual-clock.ts";

export const REGION = "eu-west-1";

/** A sandbox on a manual clock that ends with the test. */
export async function sandbox(options: Partial<AwsOptions> = {}) {
  const clock = manualClock();
  const aws = await startAws({ clock, ...options });
  onTestFinished(() => aws.close());
  return { aws, clock, ...clients(aws) };
}

/** Real SDK clients of `aws` without retries. */
export function clients(aws: SandboxAws, region = REGION) {
  const config = {
    endpoint: aws.url,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
  };
  return {
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    sts: new STSClient(config),
    config: new ConfigServiceClient(config),
    ec2: new EC2Client(config),
  };
}

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A loopback endpoint that keeps what it gets and answers with `status()`; "hang" never answers, "reset" hangs up. */
export async function receiver(status: () => number | "hang" | "reset" = () => 200) {
  const got: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const answer = status();
    if (answer === "reset") request.socket.destroy();
    else if (answer !== "hang") response.writeHead(answer, { location: "http://127.0.0.1:1/" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sns`;
  return { url, got, envelopes: () => got.map(({ body }) => JSON.parse(body) as Envelope) };
}

export interface Envelope {
  [member: string]: string;
}

/** Verifies as the SNS developer guide says, independently of the sandbox's own code. */
export function verifies(envelope: Envelope, pem: string): boolean {
  const names =
    envelope.Type === "Notification"
      ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
      : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const verifier = createVerify(envelope.SignatureVersion === "2" ? "RSA-SHA256" : "RSA-SHA1");
  for (const name of names) if (name in envelope) verifier.update(`${name}\n${envelope[name]}\n`);
  return verifier.verify(pem, envelope.Signature ?? "", "base64");
}

/** Subscribes `endpoint` to a new topic and confirms it, without using the API. */
export async function subscribed(
  { aws, clock }: Pick<Awaited<ReturnType<typeof sandbox>>, "aws" | "clock">,
  endpoint: Awaited<ReturnType<typeof receiver>>,
  attributes: Record<string, string> = {},
  topicAttributes: Record<string, string> = {},
) {
  const topic = aws.sns.createTopic(REGION, "events", new Map(Object.entries(topicAttributes)), new Map());
  const subscription = aws.sns.subscribe(
    topic.arn,
    "http",
    endpoint.url,
    new Map(Object.entries(attributes)),
  );
  await clock.advance(0);
  const token = endpoint.envelopes()[0]?.Token ?? "";
  aws.sns.confirm(topic.arn, token, { signed: true, authenticateOnUnsubscribe: false });
  endpoint.got.length = 0;
  return { topicArn: topic.arn, subscriptionArn: subscription.arn };
}
