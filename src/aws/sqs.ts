import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueueTagsCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall, awsErrorName } from "./errors.ts";

export interface Queue {
  url: string;
  arn: string;
  attributes: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}

/** The SQS calls that `aec` makes, in one Region. */
export function createSqs(context: Context, region: string) {
  const client = watchCalls(new SQSClient(clientConfig(context, region, "SQS")), context);
  return {
    /** The queue of that name in the caller's account, or undefined. */
    async queue(name: string): Promise<Queue | undefined> {
      try {
        const { QueueUrl: url = "" } = await client.send(new GetQueueUrlCommand({ QueueName: name }));
        const [{ Attributes = {} }, { Tags = {} }] = await Promise.all([
          client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] })),
          client.send(new ListQueueTagsCommand({ QueueUrl: url })),
        ]);
        return { url, arn: Attributes.QueueArn ?? "", attributes: Attributes, tags: Tags };
      } catch (error) {
        if (/NonExistentQueue|QueueDoesNotExist/.test(awsErrorName(error) ?? "")) return undefined;
        return awsCall("sqs:GetQueueAttributes", () => Promise.reject(error));
      }
    },
    createQueue: (
      name: string,
      attributes: Readonly<Record<string, string>>,
      tags: Readonly<Record<string, string>>,
    ) =>
      awsCall("sqs:CreateQueue", () =>
        client.send(
          new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes }, tags: { ...tags } }),
        ),
      ),
    setAttributes: (url: string, attributes: Readonly<Record<string, string>>) =>
      awsCall("sqs:SetQueueAttributes", () =>
        client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { ...attributes } })),
      ),
    deleteQueue: (url: string) =>
      awsCall("sqs:DeleteQueue", () => client.send(new DeleteQueueCommand({ QueueUrl: url }))),
  };
}

export type Sqs = ReturnType<typeof createSqs>;
