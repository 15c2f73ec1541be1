import type { ResourceType } from "../agents/kinds.ts";
import { parseConfig } from "./config-item.ts";
import { parseEnvelope } from "./envelope.ts";
import { type Fields, fields, text } from "./fields.ts";

/** A change in AWS that concerns something Spinnaker caches. */
export interface ResourceEvent {
  /** Who told: AWS Config, the service itself, or CloudTrail. */
  source: "config" | "service" | "cloudtrail";
  /** AWS's own type, such as `AWS::AutoScaling::AutoScalingGroup`. */
  resourceType: string;
  type: ResourceType;
  /** 12 digits. */
  awsAccountId: string;
  region: string;
  /** ASG name, security group id: how the cache knows it. */
  name: string;
  /** When AWS saw the change, ms since the epoch. */
  at: number;
  facts: ResourceFacts;
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

/** A message that asks for nothing, with the reason. */
export interface Irrelevant {
  ignored: string;
}

/** Reads the `Message` of a notification. Never throws: what cannot be read is irrelevant, with the reason. */
export function parseEvent(message: string): ResourceEvent | Irrelevant {
  const document = parseDocument(message);
  if (!document) return { ignored: "the message is no JSON object" };
  if (text(document.aec) === "test") return { ignored: "a test message of aec: it arrived and is verified" };
  if (typeof document.messageType === "string") return parseConfig(document);
  if (typeof document.source === "string") return parseEnvelope(document);
  return { ignored: "neither an AWS Config nor an EventBridge message" };
}

/** The oversized notification is documented with prose before the JSON, so that a second look begins at the brace. */
function parseDocument(value: string): Fields | undefined {
  for (const part of [value, value.slice(value.indexOf("{"))]) {
    try {
      return fields(JSON.parse(part));
    } catch {}
  }
  return undefined;
}
