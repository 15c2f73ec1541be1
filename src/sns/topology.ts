import { usageError } from "../errors.ts";

/** What `aec sns create` wants in one Region of one account. */
export interface WantedTopology {
  environment: string;
  region: string;
  /** `arn:<partition>:…:<region>:<account>:` of this caller. */
  partition: string;
  accountId: string;
  topicName: string;
  /** Undefined where only the topic is of interest. */
  endpoint: string | undefined;
  /** Undefined keeps the accounts that the policy has, or begins with the topic's own. */
  sourceAccounts: readonly string[] | undefined;
  deadLetterQueue: boolean;
}

export function topicArn({ partition, region, accountId, topicName }: WantedTopology): string {
  return `arn:${partition}:sns:${region}:${accountId}:${topicName}`;
}

export function deadLetterQueueName(wanted: WantedTopology): string {
  return `${wanted.topicName}-dlq`;
}

export function deadLetterQueueArn(wanted: WantedTopology): string {
  return `arn:${wanted.partition}:sqs:${wanted.region}:${wanted.accountId}:${deadLetterQueueName(wanted)}`;
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

const NAME = /^[A-Za-z0-9_-]{1,256}$/;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Throws a usage error for a topic name that SNS would refuse. */
export function checkTopicName(name: string): string {
  if (NAME.test(name)) return name;
  throw usageError("bad-topic-name", `"${name}" cannot be a topic name`, {
    hint: "letters, digits, - and _ only, at most 256",
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

/** Throws a usage error for anything but 12 digits. */
export function checkAccountId(id: string): string {
  if (/^\d{12}$/.test(id)) return id;
  throw usageError("bad-account-id", `--source-account: "${id}" is not an AWS account id`, {
    hint: "12 digits, leading zeros included",
  });
}
