import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueueTagsCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall, isMissing } from "./errors.ts";
import type { Place } from "./places.ts";

export interface Queue {
  url: string;
  arn: string;
  attributes: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}

/** One message as it was received. */
export interface QueueMessage {
  id: string;
  body: string;
  receipt: string;
  /** How often it was received, this time included. */
  receives: number;
}

/** At most that many messages in one call, and the longest wait for one (SQS API reference, ReceiveMessage). */
const MAX_MESSAGES = 10;

/** The SQS calls that `aec` makes, in one account and Region. */
export function createSqs(context: Context, place: Place) {
  const client = watchCalls(new SQSClient(clientConfig(context, place, "SQS")), context);
  return {
    /** The queue of that name in the caller's account, or undefined. */
    async queue(name: string): Promise<Queue | undefined> {
      try {
        const { QueueUrl: url = "" } = await awsCall("sqs:GetQueueUrl", () =>
          client.send(new GetQueueUrlCommand({ QueueName: name })),
        );
        const [{ Attributes = {} }, { Tags = {} }] = await Promise.all([
          awsCall("sqs:GetQueueAttributes", () =>
            client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] })),
          ),
          awsCall("sqs:ListQueueTags", () => client.send(new ListQueueTagsCommand({ QueueUrl: url }))),
        ]);
        return { url, arn: Attributes.QueueArn ?? "", attributes: Attributes, tags: Tags };
      } catch (error) {
        if (isMissing(error, /NonExistentQueue|QueueDoesNotExist/)) return undefined;
        throw error;
      }
    },
    /** Returns the queue's URL. */
    createQueue: (
      name: string,
      attributes: Readonly<Record<string, string>>,
      tags: Readonly<Record<string, string>>,
    ) =>
      awsCall("sqs:CreateQueue", async () => {
        const { QueueUrl = "" } = await client.send(
          new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes }, tags: { ...tags } }),
        );
        return QueueUrl;
      }),
    setAttributes: (url: string, attributes: Readonly<Record<string, string>>) =>
      awsCall("sqs:SetQueueAttributes", () =>
        client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { ...attributes } })),
      ),
    /** Up to ten messages, hidden from others for `visibilitySeconds`; waits for the first one. */
    receive: (url: string, visibilitySeconds: number, waitSeconds: number, signal: AbortSignal) =>
      awsCall("sqs:ReceiveMessage", async (): Promise<QueueMessage[]> => {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: MAX_MESSAGES,
            VisibilityTimeout: visibilitySeconds,
            WaitTimeSeconds: waitSeconds,
            MessageSystemAttributeNames: ["ApproximateReceiveCount"],
          }),
          // Longer than the wait of SQS itself.
          { abortSignal: signal, requestTimeout: (waitSeconds + 10) * 1_000 },
        );
        return Messages.map(({ MessageId = "", Body = "", ReceiptHandle = "", Attributes }) => ({
          id: MessageId,
          body: Body,
          receipt: ReceiptHandle,
          receives: Number(Attributes?.ApproximateReceiveCount ?? 1),
        }));
      }),
    hide: (url: string, receipt: string, seconds: number) =>
      awsCall("sqs:ChangeMessageVisibility", () =>
        client.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl: url,
            ReceiptHandle: receipt,
            VisibilityTimeout: seconds,
          }),
        ),
      ),
    deleteMessage: (url: string, receipt: string) =>
      awsCall("sqs:DeleteMessage", () =>
        client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt })),
      ),
    deleteQueue: (url: string) =>
      awsCall("sqs:DeleteQueue", () => client.send(new DeleteQueueCommand({ QueueUrl: url }))),
  };
}

export type Sqs = ReturnType<typeof createSqs>;
