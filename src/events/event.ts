import type { ResourceType } from "../agents/kinds.ts";

/** A change in AWS that concerns something Spinnaker caches. */
export interface ResourceEvent extends EventPlace {
  /** Who told: AWS Config, the service itself, or CloudTrail. */
  source: "config" | "service" | "cloudtrail";
  /** AWS's own type, such as `AWS::AutoScaling::AutoScalingGroup`. */
  resourceType: string;
  type: ResourceType;
  /** ASG name, security group id: how the cache knows it. `*`: all of the kind. */
  name: string;
  /** AWS Config's `configurationStateId`, which grows with each item of one resource. */
  order?: { item: string; id: number } | undefined;
  facts: ResourceFacts;
}

/** Where and when AWS saw something. */
export interface EventPlace {
  /** 12 digits. */
  awsAccountId: string;
  region: string;
  /** Ms since the epoch, 0 where it is not told. */
  at: number;
}

/** What the event itself says of the resource after the change. */
export interface ResourceFacts {
  /** Undefined where the event does not tell. */
  gone: boolean | undefined;
  desiredCapacity?: number | undefined;
  instanceIds?: readonly string[] | undefined;
  /** Instances that have left. */
  absentInstanceIds?: readonly string[] | undefined;
}

/** AWS throttles an account in a Region, or no longer does. */
export interface Pressure extends EventPlace {
  throttled: boolean;
  reason: string;
}

/** A message that asks for nothing, with the reason. */
export interface Irrelevant {
  ignored: string;
  /** It shows that events arrive. */
  heartbeat?: Heartbeat;
}

/** A message of `aec`'s own. */
export interface Heartbeat {
  /** The way that it came: published to the topic, or as an event through a rule. */
  path: "sns" | "eventbridge";
  /** Ms since the epoch. */
  sentAt: number;
}

export type Parsed = ResourceEvent | Pressure | Irrelevant;

export function ignored(reason: string): Irrelevant {
  return { ignored: reason };
}

export function isResourceEvent(parsed: Parsed): parsed is ResourceEvent {
  return "facts" in parsed;
}
