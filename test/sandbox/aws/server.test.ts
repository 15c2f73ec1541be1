import { DescribeConfigurationRecordersCommand } from "@aws-sdk/client-config-service";
import { DescribeSecurityGroupsCommand } from "@aws-sdk/client-ec2";
import { AddPermissionCommand, CreateTopicCommand, ListTopicsCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ListQueuesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { startAws } from "../../../src/sandbox/aws/server.ts";
import { clients, REGION, receiver, sandbox } from "./support.ts";

test("the caller is the sandbox's account", async () => {
  const { sts } = await sandbox({ accountId: "111122223333" });
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: "111122223333",
    Arn: "arn:aws:iam::111122223333:user/sandbox",
  });
});

test("every call is noted with its service, Region and account", async () => {
  const { aws, sns, clock } = await sandbox();
  await sns.send(new CreateTopicCommand({ Name: "a" }));
  await clients(aws, "us-east-1").config.send(new DescribeConfigurationRecordersCommand({}));
  const common = { account: aws.accountId, at: clock.now() };
  expect(aws.requests).toEqual([
    { service: "sns", action: "CreateTopic", region: REGION, ...common },
    { service: "config", action: "DescribeConfigurationRecorders", region: "us-east-1", ...common },
  ]);
});

test("unsigned calls, unknown actions, services and Regions are refused as AWS does", async () => {
  const { aws, sns, sqs } = await sandbox({ regions: [REGION] });
  const unsigned = await fetch(`${aws.url}/?Action=ListTopics`);
  expect(unsigned.status).toBe(403);
  expect(await unsigned.text()).toContain("<Code>MissingAuthenticationToken</Code>");
  const json = await fetch(aws.url, { method: "POST", headers: { "x-amz-target": "AmazonSQS.CreateQueue" } });
  expect([json.status, await json.json()]).toMatchObject([
    403,
    { __type: "MissingAuthenticationTokenException" },
  ]);
  expect(aws.requests).toEqual([]);

  await expect(
    sns.send(new AddPermissionCommand({ TopicArn: "t", Label: "l", AWSAccountId: [], ActionName: [] })),
  ).rejects.toMatchObject({ name: "InvalidAction", $metadata: { httpStatusCode: 400 } });
  await expect(sqs.send(new ListQueuesCommand({}))).rejects.toMatchObject({
    name: "UnknownOperationException",
  });
  await expect(clients(aws, "ap-east-1").sns.send(new ListTopicsCommand({}))).rejects.toMatchObject({
    name: "InvalidClientTokenId",
  });
  const authorization = `AWS4-HMAC-SHA256 Credential=A/20261120/${REGION}/iam/aws4_request`;
  const other = await fetch(aws.url, {
    method: "POST",
    headers: { authorization },
    body: "Action=ListUsers",
  });
  expect(await other.text()).toContain("The sandbox has no service iam");
});

test("faults make chosen calls fail in each service's own way", async () => {
  const { aws, sns, sqs, sts, config, ec2 } = await sandbox();
  const calls = {
    sns: () => sns.send(new ListTopicsCommand({})),
    sqs: () => sqs.send(new CreateQueueCommand({ QueueName: "q" })),
    sts: () => sts.send(new GetCallerIdentityCommand({})),
    config: () => config.send(new DescribeConfigurationRecordersCommand({})),
    ec2: () => ec2.send(new DescribeSecurityGroupsCommand({})),
  };
  const names = async (kind: "throttled" | "denied") => {
    aws.fault({ kind });
    const errors = Object.values(calls).map((call) => call().then(String, (error: Error) => error.name));
    return Promise.all(errors);
  };
  expect(await names("throttled")).toEqual([
    "ThrottledException",
    "RequestThrottled",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
  ]);
  expect(await names("denied")).toEqual([
    "AuthorizationErrorException",
    "AccessDeniedException",
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
  ]);

  aws.fault({ kind: "html", service: "sns", action: "ListTopics", times: 1 });
  await calls.sts();
  await expect(calls.sns()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  await calls.sns();

  aws.fault({ kind: "hang", service: "sts" });
  const signal = AbortSignal.timeout(50);
  await expect(sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal })).rejects.toThrow();
  aws.fault(undefined);
  await calls.sts();
});

test("close ends long polls, retries and deliveries under way", async () => {
  const aws = await startAws({ clock: systemClock() });
  const { sqs } = clients(aws);
  const hanging = await receiver(() => "hang");
  const failing = await receiver(() => 500);
  const topic = aws.sns.createTopic(REGION, "events", new Map(), new Map());
  aws.sns.subscribe(topic.arn, "http", hanging.url, new Map());
  aws.sns.subscribe(topic.arn, "http", failing.url, new Map());
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "q" }));
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })).catch(() => "ended");
  while (hanging.got.length + failing.got.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await aws.close();
  expect(await poll).toBe("ended");
});
