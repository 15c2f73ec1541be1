import { isDeepStrictEqual } from "node:util";
import { bodyFilter } from "./filter.ts";
import { parsePolicy, senderStatement, withOurStatements } from "./policy.ts";
import {
  DELIVERY_POLICY,
  deadLetterQueueArn,
  eventQueueArn,
  topicArn,
  usesQueue,
  type WantedTopology,
} from "./topology.ts";

export type Attributes = Readonly<Record<string, string>>;

/** The most that SQS keeps. */
const FOURTEEN_DAYS_S = "1209600";
/** Longer than an agent's run; `serve` extends it while it works, so that a killed one's messages come back soon. */
const VISIBILITY_S = "180";
/** More than `serve` tries within the time that SQS keeps a message: a Clouddriver that is down sends nothing away. */
const MAX_RECEIVES = 1_000;

/** Attributes of the dead-letter queue; `present` is its policy now. */
export function deadLetterQueueAttributes(wanted: WantedTopology, present: string | undefined): Attributes {
  return {
    MessageRetentionPeriod: FOURTEEN_DAYS_S,
    Policy: senderPolicy("aecDeadLetters", deadLetterQueueArn(wanted), wanted, present),
  };
}

/** Attributes of the queue that `serve` receives from. */
export function eventQueueAttributes(wanted: WantedTopology, present: string | undefined): Attributes {
  const redrive = { deadLetterTargetArn: deadLetterQueueArn(wanted), maxReceiveCount: MAX_RECEIVES };
  return {
    VisibilityTimeout: VISIBILITY_S,
    MessageRetentionPeriod: FOURTEEN_DAYS_S,
    ReceiveMessageWaitTimeSeconds: "20",
    ...(wanted.deadLetterQueue && { RedrivePolicy: JSON.stringify(redrive) }),
    Policy: senderPolicy("aecEvents", eventQueueArn(wanted), wanted, present),
  };
}

/** Attributes of the subscription, in an order in which they can be set one by one. */
export function subscriptionAttributes(wanted: WantedTopology): Attributes {
  return {
    ...(!usesQueue(wanted) && { DeliveryPolicy: JSON.stringify(DELIVERY_POLICY) }),
    RawMessageDelivery: "false",
    ...(wanted.deadLetterQueue && {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterQueueArn(wanted) }),
    }),
    ...(wanted.filter && { FilterPolicyScope: "MessageBody", FilterPolicy: JSON.stringify(bodyFilter()) }),
  };
}

function senderPolicy(sid: string, queueArn: string, wanted: WantedTopology, present: string | undefined) {
  const statement = senderStatement(sid, queueArn, topicArn(wanted));
  return JSON.stringify(withOurStatements(parsePolicy(present), [statement]));
}

/** The attributes among `wanted` that `found` does not have; documents count by their wanted members. */
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
