import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { arn, arnRegion } from "./arn.ts";
import { awsError } from "./error.ts";
import { integer, parseObject, text, textMap, texts } from "./input.ts";
import { allows } from "./policy.ts";
import { jsonProtocol } from "./protocol.ts";
import type { Call, Service } from "./service.ts";

/** One message in a queue; times in ms of the sandbox's clock. */
export interface QueueMessage {
  readonly id: string;
  readonly body: string;
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  firstReceivedAt?: number;
  /** Of the last receive. */
  receiptHandle?: string;
}

/** A standard queue. */
export interface Queue {
  readonly arn: string;
  readonly url: string;
  readonly createdAt: number;
  readonly attributes: Map<string, string>;
  readonly tags: Map<string, string>;
  messages: QueueMessage[];
}

/** SQS in process. */
export interface SqsModel {
  /** By ARN. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** Sends on behalf of an SNS topic; false when the queue is missing or its policy refuses sns.amazonaws.com. */
  sendFromTopic(queueArn: string, body: string, topicArn: string): boolean;
  /** The same on behalf of a service. */
  sendFromService(queueArn: string, body: string, sender: Sender): boolean;
}
interface Sender {
  service: string;
  sourceAccount: string;
  sourceArn: string;
}

const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["VisibilityTimeout", "30"],
  ["MaximumMessageSize", "1048576"],
  ["MessageRetentionPeriod", "345600"],
  ["DelaySeconds", "0"],
  ["ReceiveMessageWaitTimeSeconds", "0"],
  ["SqsManagedSseEnabled", "true"],
]);
const OPTIONAL = ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"];
const LEGACY_CODES = {
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  QueueNameExists: "QueueAlreadyExists",
};

/** The SQS of one account; queue URLs start with `url`, `queues` holds those of every account. */
export function createSqs(
  clock: Clock,
  account: string,
  url: string,
  queues: Map<string, Queue>,
): { model: SqsModel; service: Service } {
  const waiting = new Map<Queue, Set<() => void>>();

  const named = ({ region }: Call, name: string) => queues.get(arn("sqs", region, account, name));
  const missing = () => awsError("QueueDoesNotExist", "The specified queue does not exist.");
  const queueOf = (call: Call): Queue => {
    const name = text(call.input, "QueueUrl").split("/").at(-1) ?? "";
    const found = named(call, name);
    if (!found) throw missing();
    return found;
  };

  function send(queue: Queue, body: string, delaySeconds = Number(queue.attributes.get("DelaySeconds"))) {
    const sentAt = clock.now();
    const visibleAt = sentAt + delaySeconds * 1000;
    const message: QueueMessage = { id: randomUUID(), body, sentAt, visibleAt, receiveCount: 0 };
    queue.messages.push(message);
    for (const wake of waiting.get(queue) ?? []) wake();
    return message;
  }

  function take(queue: Queue, limit: number, visibilitySeconds: number): QueueMessage[] {
    const now = clock.now();
    moveExhausted(queue, now);
    const taken = queue.messages.filter((message) => message.visibleAt <= now).slice(0, limit);
    for (const message of taken) {
      message.visibleAt = now + visibilitySeconds * 1000;
      message.receiveCount++;
      message.firstReceivedAt ??= now;
      message.receiptHandle = randomUUID();
    }
    return taken;
  }

  /** What was received too often goes to the dead-letter queue instead of to a receiver. */
  function moveExhausted(queue: Queue, now: number): void {
    const { deadLetterTargetArn, maxReceiveCount } =
      parseObject(queue.attributes.get("RedrivePolicy") ?? "") ?? {};
    const target = queues.get(String(deadLetterTargetArn));
    if (!target) return;
    const exhausted = queue.messages.filter(
      ({ visibleAt, receiveCount }) => visibleAt <= now && receiveCount >= Number(maxReceiveCount),
    );
    queue.messages = queue.messages.filter((message) => !exhausted.includes(message));
    target.messages.push(...exhausted.map((message) => ({ ...message, receiveCount: 0 })));
  }

  /** Resolves when a message is sent or `ms` have passed. */
  async function arrival(queue: Queue, ms: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const wake = () => done.abort();
    const wakers = waiting.get(queue) ?? new Set();
    waiting.set(queue, wakers.add(wake));
    await clock.sleep(ms, AbortSignal.any([signal, done.signal])).catch(() => undefined);
    wakers.delete(wake);
    signal.throwIfAborted();
  }

  async function receive(queue: Queue, { input, signal }: Call): Promise<QueueMessage[]> {
    const setting = (name: string, attribute: string) =>
      integer(input, name) ?? Number(queue.attributes.get(attribute));
    const limit = integer(input, "MaxNumberOfMessages") ?? 1;
    if (limit < 1 || limit > 10) {
      throw awsError("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10.");
    }
    const visibility = setting("VisibilityTimeout", "VisibilityTimeout");
    const deadline = clock.now() + setting("WaitTimeSeconds", "ReceiveMessageWaitTimeSeconds") * 1000;
    for (;;) {
      const taken = take(queue, limit, visibility);
      const left = deadline - clock.now();
      if (taken.length > 0 || left <= 0) return taken;
      const next = Math.min(...queue.messages.map((message) => message.visibleAt - clock.now()));
      await arrival(queue, Math.min(left, next), signal);
    }
  }

  const model: SqsModel = {
    queues,
    sendFromTopic: (queueArn, body, topicArn) =>
      model.sendFromService(queueArn, body, {
        service: "sns.amazonaws.com",
        sourceAccount: account,
        sourceArn: topicArn,
      }),
    sendFromService(queueArn, body, { service, sourceAccount, sourceArn }) {
      const queue = queues.get(queueArn);
      const context = { "aws:sourcearn": sourceArn, "aws:sourceaccount": sourceAccount };
      const request = { service, action: "sqs:SendMessage", resource: queueArn, context };
      if (!queue || arnRegion(sourceArn) !== arnRegion(queueArn)) return false;
      if (!allows(queue.attributes.get("Policy"), request)) return false;
      send(queue, body);
      return true;
    },
  };

  const service: Service = {
    protocol: jsonProtocol("1.0", "com.amazonaws.sqs", LEGACY_CODES),
    actions: {
      CreateQueue: (call) => {
        const name = text(call.input, "QueueName");
        if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) {
          throw awsError(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores.",
          );
        }
        const attributes = checked(textMap(call.input, "Attributes"));
        const existing = named(call, name);
        const different = [...attributes].find(([key, value]) => existing?.attributes.get(key) !== value);
        if (existing && different) {
          throw awsError(
            "QueueNameExists",
            `A queue already exists with the same name and a different value for attribute ${different[0]}`,
          );
        }
        const queue: Queue = existing ?? {
          arn: arn("sqs", call.region, account, name),
          url: `${url}/${account}/${name}`,
          createdAt: clock.now(),
          attributes: new Map([...DEFAULTS, ...attributes]),
          tags: textMap(call.input, "tags"),
          messages: [],
        };
        queues.set(queue.arn, queue);
        return { QueueUrl: queue.url };
      },
      GetQueueUrl: (call) => {
        const queue = named(call, text(call.input, "QueueName"));
        if (!queue) throw missing();
        return { QueueUrl: queue.url };
      },
      GetQueueAttributes: (call) => {
        const names = texts(call.input, "AttributeNames");
        const all = [...describeQueue(queueOf(call), clock.now())];
        return {
          Attributes: Object.fromEntries(
            all.filter(([name]) => names.includes("All") || names.includes(name)),
          ),
        };
      },
      SetQueueAttributes: (call) => {
        const { attributes } = queueOf(call);
        for (const [name, value] of checked(textMap(call.input, "Attributes"))) {
          if (value) attributes.set(name, value);
          else attributes.delete(name);
        }
      },
      DeleteQueue: (call) => void queues.delete(queueOf(call).arn),
      SendMessage: (call) => {
        const body = text(call.input, "MessageBody");
        const message = send(queueOf(call), body, integer(call.input, "DelaySeconds"));
        return { MessageId: message.id, MD5OfMessageBody: md5(body) };
      },
      ReceiveMessage: async (call) => {
        const taken = await receive(queueOf(call), call);
        // SQS leaves the member out when there is nothing to receive.
        return taken.length > 0 ? { Messages: taken.map(received) } : {};
      },
      DeleteMessage: (call) => {
        const queue = queueOf(call);
        const handle = text(call.input, "ReceiptHandle");
        queue.messages = queue.messages.filter((message) => message.receiptHandle !== handle);
      },
      ChangeMessageVisibility: (call) => {
        const handle = text(call.input, "ReceiptHandle");
        const message = queueOf(call).messages.find(({ receiptHandle }) => receiptHandle === handle);
        if (!message) throw awsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.", 404);
        message.visibleAt = clock.now() + (integer(call.input, "VisibilityTimeout") ?? 0) * 1000;
      },
      PurgeQueue: (call) => {
        queueOf(call).messages = [];
      },
      ListQueueTags: (call) => ({ Tags: Object.fromEntries(queueOf(call).tags) }),
      TagQueue: (call) => {
        const { tags } = queueOf(call);
        for (const [key, value] of textMap(call.input, "Tags")) tags.set(key, value);
      },
    },
  };
  return { model, service };
}

function checked(attributes: Map<string, string>): Map<string, string> {
  for (const [name, value] of attributes) {
    if (!DEFAULTS.has(name) && !OPTIONAL.includes(name)) {
      throw awsError("InvalidAttributeName", `Unknown Attribute ${name}.`);
    }
    const wellFormed = value ? !name.endsWith("Policy") || parseObject(value) : !DEFAULTS.has(name);
    if (!wellFormed) {
      throw awsError("InvalidAttributeValue", `Invalid value for the parameter ${name}.`);
    }
  }
  return attributes;
}

function describeQueue(queue: Queue, now: number): Map<string, string> {
  const hidden = queue.messages.filter(({ visibleAt }) => visibleAt > now);
  const delayed = hidden.filter(({ receiveCount }) => receiveCount === 0).length;
  const created = String(Math.floor(queue.createdAt / 1000));
  return new Map([
    ["QueueArn", queue.arn],
    ["ApproximateNumberOfMessages", String(queue.messages.length - hidden.length)],
    ["ApproximateNumberOfMessagesNotVisible", String(hidden.length - delayed)],
    ["ApproximateNumberOfMessagesDelayed", String(delayed)],
    ["CreatedTimestamp", created],
    ["LastModifiedTimestamp", created],
    ...queue.attributes,
  ]);
}

function received(message: QueueMessage) {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: {
      SentTimestamp: String(message.sentAt),
      ApproximateReceiveCount: String(message.receiveCount),
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    },
  };
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
