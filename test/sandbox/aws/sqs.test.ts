import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueueTagsCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
} from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { receiver, sandbox, subscribed } from "./support.ts";

test("queues are created once per name and keep attributes and tags", async () => {
  const { aws, sqs } = await sandbox();
  const QueueName = "dlq";
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, tags: { team: "a" } }));
  expect(QueueUrl).toBe(`${aws.url}/012345678901/dlq`);
  expect((await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl).toBe(QueueUrl);
  expect((await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).toBe(QueueUrl);
  await expect(
    sqs.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: "5" } })),
  ).rejects.toMatchObject({ name: "QueueNameExists" });

  const Attributes = { Policy: '{"Statement":[]}', VisibilityTimeout: "60" };
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
  const set = (name: string, value: string) =>
    sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { [name]: value } }));
  await expect(set("Policy", "{")).rejects.toMatchObject({ name: "InvalidAttributeValue" });
  await expect(set("Colour", "blue")).rejects.toMatchObject({ name: "InvalidAttributeName" });
  const all = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  expect(all.Attributes).toMatchObject({
    ...Attributes,
    QueueArn: "arn:aws:sqs:eu-west-1:012345678901:dlq",
    ApproximateNumberOfMessages: "0",
  });
  const one = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  expect(Object.keys(one.Attributes ?? {})).toEqual(["QueueArn"]);

  await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { owner: "b" } }));
  expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ team: "a", owner: "b" });
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  await expect(sqs.send(new GetQueueUrlCommand({ QueueName }))).rejects.toMatchObject({
    name: "QueueDoesNotExist",
  });
});

test("a received message is hidden for the visibility time-out and gone once deleted", async () => {
  const { sqs, clock } = await sandbox();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "q" }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
  const receive = async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages;
  const [message] = (await receive()) ?? [];
  expect(message?.Body).toBe("hello");
  expect(await receive()).toBeUndefined();
  await clock.advance(30_000);
  const [again] = (await receive()) ?? [];
  expect(again).toMatchObject({
    MessageId: message?.MessageId,
    Attributes: { ApproximateReceiveCount: "2" },
  });
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again?.ReceiptHandle }));
  await clock.advance(60_000);
  expect(await receive()).toBeUndefined();
});

test("a long poll ends with a message, or empty after its time on the clock", async () => {
  const { sqs, clock } = await sandbox();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "q" }));
  const poll = () => sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  const woken = poll();
  await clock.advance(10_000);
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "late" }));
  expect((await woken).Messages).toMatchObject([{ Body: "late" }]);
  const empty = poll();
  let done = false;
  void empty.then(() => {
    done = true;
  });
  await clock.advance(19_999);
  expect(done).toBe(false);
  await clock.advance(1);
  expect((await empty).Messages).toBeUndefined();
});

const topicPolicy = (service: string) =>
  JSON.stringify({
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sqs:SendMessage",
        Resource: "arn:aws:sqs:eu-west-1:012345678901:dlq",
        Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:sns:eu-west-1:012345678901:events" } },
      },
    ],
  });

test.each([
  ["sns.amazonaws.com", 1],
  ["events.amazonaws.com", 0],
])("an undeliverable notification goes to the DLQ when its policy allows %s", async (service, expected) => {
  const world = await sandbox();
  const { aws, sqs, clock } = world;
  const Attributes = { Policy: topicPolicy(service) };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "dlq", Attributes }));
  let status = 200;
  const endpoint = await receiver(() => status);
  const { topicArn } = await subscribed(world, endpoint, {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: "arn:aws:sqs:eu-west-1:012345678901:dlq" }),
  });
  status = 500;
  aws.sns.publish({ topicArn, message: "lost" });
  await clock.advance(59_999);
  expect((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();
  await clock.advance(1);
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages).toHaveLength(expected);
  if (expected) expect(Messages[0]?.Body).toBe(endpoint.got[0]?.body);
});

test("a queue can subscribe, and needs no confirmation", async () => {
  const { aws, sqs } = await sandbox();
  const Attributes = { Policy: topicPolicy("sns.amazonaws.com") };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "dlq", Attributes }));
  const topic = aws.sns.createTopic("eu-west-1", "events", new Map(), new Map());
  aws.sns.subscribe(topic.arn, "sqs", "arn:aws:sqs:eu-west-1:012345678901:dlq", new Map());
  aws.sns.publish({ topicArn: topic.arn, message: "m" });
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(JSON.parse(Messages?.[0]?.Body ?? "")).toMatchObject({ Type: "Notification", Message: "m" });
});
