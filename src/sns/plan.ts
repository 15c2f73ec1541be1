import { failure } from "../errors.ts";
import {
  type Attributes,
  deadLetterQueueAttributes,
  eventQueueAttributes,
  outdated,
  subscriptionAttributes,
} from "./attributes.ts";
import {
  configAccounts,
  hasOurStatements,
  type PolicyDocument,
  parsePolicy,
  publisherRoles,
  publisherStatements,
  withOurStatements,
} from "./policy.ts";
import {
  deadLetterQueueName,
  eventQueueName,
  isOurs,
  topicArn,
  usesQueue,
  type WantedTopology,
} from "./topology.ts";

export interface ObservedQueue {
  url: string;
  attributes: Attributes;
  tags: Attributes;
}

/** What is there now. */
export interface ObservedTopology {
  topic: { attributes: Attributes; tags: Attributes } | undefined;
  /** `not-read`: of no interest to this command. */
  deadLetterQueue: ObservedQueue | undefined | "not-read";
  eventQueue: ObservedQueue | undefined | "not-read";
  /** The subscription of the wanted endpoint; without `arn` it is pending. */
  subscription: { arn: string | undefined; attributes: Attributes } | undefined;
}

/** One difference between wanted and observed. */
export interface Change {
  resource:
    | "topic"
    | "topic encryption"
    | "topic policy"
    | "topic signature version"
    | "dead-letter queue"
    | "event queue"
    | "subscription";
  action: "create" | "update" | "none";
  /** What is different, in a few words. */
  detail?: string;
}

/** The difference as data, and the values that close it. */
export interface TopologyPlan {
  changes: Change[];
  policy: PolicyDocument | undefined;
  deadLetterQueueAttributes: Attributes;
  eventQueueAttributes: Attributes;
  topicAttributes: Attributes;
  subscriptionAttributes: Attributes;
}

/** Compares without touching anything. Throws where the topic or a queue is somebody else's. */
export function planTopology(wanted: WantedTopology, observed: ObservedTopology): TopologyPlan {
  assertOurs(wanted, observed);
  const { topic } = observed;
  const present = parsePolicy(topic?.attributes.Policy);
  const accounts = publishingAccounts(wanted, observed);
  const roles = wanted.publisherRoles ?? publisherRoles(present);
  const ours = publisherStatements(topicArn(wanted), accounts, roles);
  const policyIsRight = topic !== undefined && hasOurStatements(present, ours);
  const topicAttributes = {
    SignatureVersion: "2",
    ...(wanted.kmsKey !== undefined && { KmsMasterKeyId: wanted.kmsKey }),
  };
  const deadLetters = deadLetterQueueAttributes(wanted, policyOf(observed.deadLetterQueue));
  const events = eventQueueAttributes(wanted, policyOf(observed.eventQueue));
  const subscription = subscriptionAttributes(wanted);

  const changes: Change[] = [];
  const note = (resource: Change["resource"], missing: boolean, wrong: string | undefined) =>
    changes.push({
      resource,
      action: missing ? "create" : wrong ? "update" : "none",
      ...(wrong && !missing && { detail: wrong }),
    });

  if (wanted.deadLetterQueue && observed.deadLetterQueue !== "not-read") {
    const found = observed.deadLetterQueue;
    note("dead-letter queue", !found, differing(deadLetters, found?.attributes));
  }
  if (usesQueue(wanted) && observed.eventQueue !== "not-read") {
    note("event queue", !observed.eventQueue, differing(events, observed.eventQueue?.attributes));
  }
  note("topic", !topic, undefined);
  if (wanted.kmsKey !== undefined) {
    const key = topic?.attributes.KmsMasterKeyId;
    note("topic encryption", !topic, key === wanted.kmsKey ? undefined : `${key ?? "none"} now`);
  }
  note("topic policy", !topic, policyIsRight ? undefined : policyDetail(accounts));
  const version = topic?.attributes.SignatureVersion ?? "1";
  note("topic signature version", !topic, version === "2" ? undefined : `${version}, not 2`);
  if (wanted.endpoint !== undefined) {
    const found = observed.subscription;
    const pending = found && found.arn === undefined;
    note(
      "subscription",
      !found,
      pending ? "confirmation asked for again" : differing(subscription, found?.attributes),
    );
  }
  return {
    changes,
    policy: policyIsRight ? undefined : withOurStatements(present, ours),
    deadLetterQueueAttributes: deadLetters,
    eventQueueAttributes: events,
    topicAttributes,
    subscriptionAttributes: subscription,
  };
}

/** Whose AWS Config may publish: nobody's where the topic is encrypted (AWS Config developer guide, SNS topic). */
function publishingAccounts(wanted: WantedTopology, { topic }: ObservedTopology): readonly string[] {
  if (wanted.kmsKey !== undefined || topic?.attributes.KmsMasterKeyId) return [];
  const kept = configAccounts(parsePolicy(topic?.attributes.Policy));
  return wanted.sourceAccounts ?? (kept.length > 0 ? kept : [wanted.accountId]);
}

/** Accounts whose AWS Config may publish now, and may not any more once the plan is applied. */
export function shutOut(wanted: WantedTopology, observed: ObservedTopology): string[] {
  const after = publishingAccounts(wanted, observed);
  return configAccounts(parsePolicy(observed.topic?.attributes.Policy)).filter((one) => !after.includes(one));
}

function policyDetail(accounts: readonly string[]): string {
  return accounts.length > 0 ? `publishers of ${accounts.join(", ")}` : "EventBridge only: it is encrypted";
}

function policyOf(queue: ObservedQueue | undefined | "not-read"): string | undefined {
  return queue === "not-read" ? undefined : queue?.attributes.Policy;
}

function assertOurs(wanted: WantedTopology, observed: ObservedTopology): void {
  const { environment } = wanted;
  const check = (what: string, name: string, found: { tags: Attributes } | undefined | "not-read") => {
    if (!found || found === "not-read" || isOurs(found.tags, environment)) return;
    throw failure(
      "not-ours",
      `${what} ${name} exists and is not tagged as aec's for environment "${environment}"`,
      {
        detail: `its tags: ${JSON.stringify(found.tags)}`,
        hint: "choose another --topic-name, or tag it aec:managed=true and aec:environment yourself to hand it over",
      },
    );
  };
  check("topic", wanted.topicName, observed.topic);
  check("queue", deadLetterQueueName(wanted), observed.deadLetterQueue);
  check("queue", eventQueueName(wanted), observed.eventQueue);
}

/** The names of attributes that are not as wanted. */
function differing(wanted: Attributes, found: Attributes = {}): string | undefined {
  const names = outdated(wanted, found).map(([name]) => name);
  return names.length > 0 ? names.join(", ") : undefined;
}

/** Names what a person looks for when SNS cannot confirm. */
export function unconfirmedHints(wanted: WantedTopology): string[] {
  if (usesQueue(wanted))
    return ["a queue of the topic's own account confirms by itself: is it another one's?"];
  return [
    `is ${wanted.endpoint} reachable from the internet, with a certificate of a public authority?`,
    "is the path right? Gate under a context path answers at …/api/v1/aws/notify",
    "does an authentication filter (SAML, OAuth2, an ingress) stop POSTs to it?",
    `is what answers there running and meant for this topic? aec serve --topic-arn ${topicArn(wanted)}`,
    ...(wanted.deadLetterQueue ? [`undelivered messages end in ${deadLetterQueueName(wanted)}`] : []),
  ];
}
