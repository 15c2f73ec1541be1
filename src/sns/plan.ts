import { isDeepStrictEqual } from "node:util";
import { failure } from "../errors.ts";
import {
  configAccounts,
  hasOurStatements,
  type PolicyDocument,
  parsePolicy,
  publisherStatements,
  type Statement,
  withOurStatements,
} from "./policy.ts";
import {
  DELIVERY_POLICY,
  deadLetterQueueArn,
  deadLetterQueueName,
  isOurs,
  topicArn,
  type WantedTopology,
} from "./topology.ts";

type Attributes = Readonly<Record<string, string>>;

/** What is there now. */
export interface ObservedTopology {
  topic: { attributes: Attributes; tags: Attributes } | undefined;
  queue: { url: string; attributes: Attributes; tags: Attributes } | undefined | "not-read";
  /** The subscription of the wanted endpoint; without `arn` it is pending. */
  subscription: { arn: string | undefined; attributes: Attributes } | undefined;
}

/** One difference between wanted and observed. */
export interface Change {
  resource: "topic" | "topic policy" | "topic signature version" | "dead-letter queue" | "subscription";
  action: "create" | "update" | "none";
  /** What is different, in a few words. */
  detail?: string;
}

/** The difference as data, and the values that close it. */
export interface TopologyPlan {
  changes: Change[];
  policy: PolicyDocument | undefined;
  queueAttributes: Attributes;
  subscriptionAttributes: Attributes;
}

/** Compares without touching anything. Throws where the topic or the queue is somebody else's. */
export function planTopology(wanted: WantedTopology, observed: ObservedTopology): TopologyPlan {
  assertOurs(wanted, observed);
  const arn = topicArn(wanted);
  const present = parsePolicy(observed.topic?.attributes.Policy);
  const kept = configAccounts(present);
  const accounts = wanted.sourceAccounts ?? (kept.length > 0 ? kept : [wanted.accountId]);
  const ours = publisherStatements(arn, accounts);
  const policyIsRight = observed.topic !== undefined && hasOurStatements(present, ours);
  const queue = observed.queue === "not-read" ? undefined : observed.queue;
  const queueAttributes = wanted.deadLetterQueue
    ? deadLetterQueueAttributes(wanted, queue?.attributes.Policy)
    : {};
  const subscriptionAttributes = wantedSubscriptionAttributes(wanted);

  const changes: Change[] = [];
  const note = (resource: Change["resource"], missing: boolean, wrong: string | undefined) =>
    changes.push({
      resource,
      action: missing ? "create" : wrong ? "update" : "none",
      ...(wrong && !missing && { detail: wrong }),
    });

  if (wanted.deadLetterQueue && observed.queue !== "not-read") {
    note("dead-letter queue", !observed.queue, differing(queueAttributes, observed.queue?.attributes ?? {}));
  }
  note("topic", !observed.topic, undefined);
  note("topic policy", !observed.topic, policyIsRight ? undefined : `publishers of ${accounts.join(", ")}`);
  const version = observed.topic?.attributes.SignatureVersion ?? "1";
  note("topic signature version", !observed.topic, version === "2" ? undefined : `${version}, not 2`);
  if (wanted.endpoint !== undefined) {
    const pending = observed.subscription && observed.subscription.arn === undefined;
    note(
      "subscription",
      !observed.subscription,
      pending
        ? "confirmation asked for again"
        : differing(subscriptionAttributes, observed.subscription?.attributes ?? {}),
    );
  }
  return {
    changes,
    policy: policyIsRight ? undefined : withOurStatements(present, ours),
    queueAttributes,
    subscriptionAttributes,
  };
}

function assertOurs({ environment, topicName }: WantedTopology, { topic, queue }: ObservedTopology): void {
  const foreign = (what: string, name: string, tags: Attributes) =>
    failure(
      "not-ours",
      `${what} ${name} exists and is not tagged as aec's for environment "${environment}"`,
      {
        detail: `its tags: ${JSON.stringify(tags)}`,
        hint: "choose another --topic-name, or tag it aec:managed=true and aec:environment yourself to hand it over",
      },
    );
  if (topic && !isOurs(topic.tags, environment)) throw foreign("topic", topicName, topic.tags);
  if (queue && queue !== "not-read" && !isOurs(queue.tags, environment))
    throw foreign("queue", `${topicName}-dlq`, queue.tags);
}

function deadLetterQueueAttributes(wanted: WantedTopology, present: string | undefined): Attributes {
  const statement: Statement = {
    Sid: "aecDeadLetters",
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: deadLetterQueueArn(wanted),
    Condition: { ArnEquals: { "aws:SourceArn": topicArn(wanted) } },
  };
  return {
    // 14 days, the most that SQS keeps.
    MessageRetentionPeriod: "1209600",
    Policy: JSON.stringify(withOurStatements(parsePolicy(present), [statement])),
  };
}

function wantedSubscriptionAttributes(wanted: WantedTopology): Attributes {
  return {
    DeliveryPolicy: JSON.stringify(DELIVERY_POLICY),
    RawMessageDelivery: "false",
    ...(wanted.deadLetterQueue && {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterQueueArn(wanted) }),
    }),
  };
}

/** The names of attributes that are not as wanted; documents are compared as JSON, by the wanted members only. */
function differing(wanted: Attributes, found: Attributes): string | undefined {
  const names = Object.keys(wanted).filter((name) => !covers(json(found[name]), json(wanted[name])));
  return names.length > 0 ? names.join(", ") : undefined;
}

/** The attributes among `wanted` that `found` does not have. */
export function outdated(wanted: Attributes, found: Attributes): [string, string][] {
  return Object.entries(wanted).filter(([name, value]) => !covers(json(found[name]), json(value)));
}

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}

function covers(found: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== "object" || Array.isArray(wanted))
    return isDeepStrictEqual(found, wanted);
  if (found === null || typeof found !== "object") return false;
  return Object.entries(wanted).every(([key, value]) =>
    covers((found as Record<string, unknown>)[key], value),
  );
}

/** Names what a person looks for when SNS cannot confirm. */
export function unconfirmedHints(wanted: WantedTopology): string[] {
  return [
    `is ${wanted.endpoint} reachable from the internet, with a certificate of a public authority?`,
    "is the path right? Gate under a context path answers at …/api/v1/aws/notify",
    "does an authentication filter (SAML, OAuth2, an ingress) stop POSTs to it?",
    `is what answers there running and meant for this topic? aec serve --topic-arn ${topicArn(wanted)}`,
    ...(wanted.deadLetterQueue ? [`undelivered messages end in ${deadLetterQueueName(wanted)}`] : []),
  ];
}

/** One line for people: `update topic policy (publishers of 012345678901)`. */
export function describeChange({ resource, action, detail }: Change): string {
  return `${action === "none" ? "ok    " : action} ${resource}${detail ? ` (${detail})` : ""}`;
}
