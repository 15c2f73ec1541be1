import { usageError } from "../errors.ts";
import { parseTopicArn } from "../events/signing-host.ts";

/** What `aec sns create` wants in one Region of one account. */
export interface WantedTopology {
  environment: string;
  region: string;
  /** `arn:<partition>:…:<region>:<account>:` of this caller. */
  partition: string;
  accountId: string;
  topicName: string;
  /** URL, or the ARN of the event queue; undefined where only the topic is of interest. */
  endpoint: string | undefined;
  /** Undefined keeps the accounts that the policy has, or begins with the topic's own. */
  sourceAccounts: readonly string[] | undefined;
  /** With which EventBridge publishes from other accounts; undefined keeps those that the policy has. */
  publisherRoles: readonly string[] | undefined;
  deadLetterQueue: boolean;
  /** Let only messages through that `aec serve` can use. */
  filter: boolean;
  /** A customer-managed key: AWS Config cannot publish to an encrypted topic, so that only EventBridge may. */
  kmsKey: string | undefined;
}

export function topicArn({
  partition,
  region,
  accountId,
  topicName,
}: Pick<WantedTopology, "partition" | "region" | "accountId" | "topicName">): string {
  return `arn:${partition}:sns:${region}:${accountId}:${topicName}`;
}

export function deadLetterQueueName({ topicName }: Pick<WantedTopology, "topicName">): string {
  return `${topicName}-dlq`;
}

export function deadLetterQueueArn(wanted: WantedTopology): string {
  return queueArn(wanted, deadLetterQueueName(wanted));
}

/** The queue of --protocol sqs, from which `aec serve` receives. */
export function eventQueueName({ topicName }: Pick<WantedTopology, "topicName">): string {
  return `${topicName}-events`;
}

export function eventQueueArn(wanted: WantedTopology): string {
  return queueArn(wanted, eventQueueName(wanted));
}

/** Whether the subscriber is the event queue. */
export function usesQueue(wanted: WantedTopology): boolean {
  return wanted.endpoint === eventQueueArn(wanted);
}

function queueArn({ partition, region, accountId }: WantedTopology, name: string): string {
  return `arn:${partition}:sqs:${region}:${accountId}:${name}`;
}

/** Tags of everything that `aec` makes; what lacks them is somebody else's. */
export function ownershipTags(environment: string): Record<string, string> {
  return { "aec:managed": "true", "aec:environment": environment };
}

export function isOurs(tags: Readonly<Record<string, string>>, environment: string): boolean {
  return tags["aec:managed"] === "true" && tags["aec:environment"] === environment;
}

/** Retries for as long as SNS allows over HTTP (an hour in all): AWS's own example policy. */
export const DELIVERY_POLICY = {
  healthyRetryPolicy: {
    minDelayTarget: 1,
    maxDelayTarget: 60,
    numRetries: 50,
    numNoDelayRetries: 3,
    numMinDelayRetries: 2,
    numMaxDelayRetries: 35,
    backoffFunction: "exponential",
  },
} as const;

/** A queue's name, which is the topic's and `-events`, has at most 80 characters. */
const NAME = /^[A-Za-z0-9_-]{1,73}$/;
/** Throws a usage error for what is no topic's ARN, or one of another Region than the publisher's (a template's is open). */
export function checkTopicArn(arn: string, region?: string): string {
  const parsed = parseTopicArn(arn);
  if (!parsed) {
    throw usageError("bad-topic-arn", `--topic-arn: "${arn}" is not the ARN of a topic`, {
      hint: "it looks like arn:aws:sns:us-east-1:012345678901:aec-prod; aec sns status prints it",
    });
  }
  if (region !== undefined && !region.startsWith("$") && parsed.region !== region) {
    throw usageError(
      "bad-topic-arn",
      `--topic-arn: ${arn} is in ${parsed.region}, the publisher in ${region}`,
      {
        hint: `AWS publishes within a Region only: add --regions ${parsed.region}`,
      },
    );
  }
  return arn;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Throws a usage error for a topic name that SNS or SQS would refuse. */
export function checkTopicName(name: string): string {
  if (NAME.test(name)) return name;
  throw usageError("bad-topic-name", `"${name}" cannot be a topic name`, {
    hint: "letters, digits, - and _ only, at most 73 (its queues are named after it)",
  });
}

/** Throws a usage error for an endpoint that SNS could not reach safely; plain http is for loopback only. */
export function checkEndpoint(endpoint: string): string {
  const hint = "it looks like https://gate.example.com/aws/notify (or …/api/v1/aws/notify)";
  if (!URL.canParse(endpoint)) throw usageError("bad-endpoint", `"${endpoint}" is not a URL`, { hint });
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname))) return endpoint;
  throw usageError("bad-endpoint", `"${endpoint}": SNS has to be given an https endpoint`, {
    hint:
      protocol === "http:"
        ? "plain http would carry events in the clear; it is allowed on loopback only"
        : hint,
  });
}

/** Throws a usage error for the key that AWS manages: its policy lets no other service publish. */
export function checkKmsKey(key: string): string {
  if (!/^(arn:[^:]+:kms:.*:)?alias\/aws\//.test(key)) return key;
  throw usageError("bad-kms-key", `"${key}" is managed by AWS: EventBridge could not publish with it`, {
    hint: "name a customer-managed key whose policy allows events.amazonaws.com kms:GenerateDataKey and kms:Decrypt",
  });
}

/** Throws a usage error for what is no role. */
export function checkRoleArn(arn: string): string {
  if (/^arn:aws[a-z-]*:iam::\d{12}:role\/.+/.test(arn)) return arn;
  throw usageError("bad-role", `"${arn}" is not the ARN of a role`, {
    hint: "such as arn:aws:iam::012345678901:role/events-to-aec",
  });
}

/** Throws a usage error for anything but 12 digits. */
export function checkAccountId(id: string): string {
  if (/^\d{12}$/.test(id)) return id;
  throw usageError("bad-account-id", `--source-account: "${id}" is not an AWS account id`, {
    hint: "12 digits, leading zeros included",
  });
}
