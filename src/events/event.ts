import type { ResourceType } from "../agents/kinds.ts";

/** A change in AWS that concerns something Spinnaker caches. */
export interface ResourceEvent {
  source: "config";
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
  gone: boolean;
  desiredCapacity?: number | undefined;
  instanceIds?: readonly string[] | undefined;
}

/** A message that asks for nothing, with the reason. */
export interface Irrelevant {
  ignored: string;
}

/** Reads the `Message` of a notification. Never throws: what cannot be read is irrelevant, with the reason. */
export function parseEvent(text: string): ResourceEvent | Irrelevant {
  const document = parseDocument(text);
  if (!document) return { ignored: "the message is no JSON object" };
  if (typeof document.messageType === "string") return parseConfig(document, document.messageType);
  if (typeof document.source === "string")
    return { ignored: `events of ${clip(document.source)} are not used yet` };
  return { ignored: "neither an AWS Config nor an EventBridge message" };
}

/** What AWS Config has to record, and the kind that each type refreshes. */
export const CONFIG_TYPES: Readonly<Record<string, ResourceType>> = {
  "AWS::AutoScaling::AutoScalingGroup": "server-group",
  "AWS::EC2::SecurityGroup": "security-group",
};
/** Messages that announce a change, and where the item is. Oversized ones carry all but its configuration. */
const CHANGES: Readonly<Record<string, string>> = {
  ConfigurationItemChangeNotification: "configurationItem",
  OversizedConfigurationItemChangeNotification: "configurationItemSummary",
  OversizedConfigurationItemChangeDeliveryFailed: "configurationItemSummary",
};
const DELETED = new Set(["ResourceDeleted", "ResourceDeletedNotRecorded"]);

/** AWS Config developer guide, example notifications; a deleted item has no configuration. */
function parseConfig(document: Fields, messageType: string): ResourceEvent | Irrelevant {
  const part = CHANGES[messageType];
  if (!part) return { ignored: `AWS Config's ${clip(messageType)} announces no change that is used` };
  const item = fields(document[part]);
  if (!item) return { ignored: "a change notification without a configuration item" };
  const resourceType = text(item.resourceType) ?? "";
  const type = CONFIG_TYPES[resourceType];
  if (!type)
    return { ignored: `${clip(resourceType) || "an unnamed type"} is not cached by what aec refreshes` };

  const awsAccountId = text(item.awsAccountId) ?? text(item.accountId);
  const region = text(item.awsRegion);
  const configuration = fields(item.configuration) ?? fields(parseDocument(text(item.configuration) ?? ""));
  const name = type === "server-group" ? groupName(item, configuration) : text(item.resourceId);
  if (!awsAccountId || !/^\d{12}$/.test(awsAccountId) || !region || !name) {
    return { ignored: `${resourceType} without account, Region or name` };
  }
  if (type === "security-group" && onlyRelationshipsChanged(document)) {
    return { ignored: "only relationships of the security group changed, which Spinnaker does not cache" };
  }
  const at = Date.parse(text(item.configurationItemCaptureTime) ?? "");
  return {
    source: "config",
    resourceType,
    type,
    awsAccountId,
    region,
    name,
    at: Number.isNaN(at) ? 0 : at,
    facts: factsOf(item, configuration),
  };
}

function groupName(item: Fields, configuration: Fields | undefined): string | undefined {
  const arn = text(item.ARN) ?? text(item.arn) ?? text(item.resourceId) ?? "";
  return (
    text(item.resourceName) ??
    text(configuration?.autoScalingGroupName) ??
    arn.split("autoScalingGroupName/")[1]
  );
}

function factsOf(item: Fields, configuration: Fields | undefined): ResourceFacts {
  const status = text(item.configurationItemStatus) ?? "";
  if (DELETED.has(status) || item.changeType === "DELETE") return { gone: true };
  const desired = configuration?.desiredCapacity;
  const instances = configuration?.instances;
  return {
    gone: false,
    desiredCapacity: typeof desired === "number" ? desired : undefined,
    instanceIds: Array.isArray(instances)
      ? instances.flatMap((instance) => text(fields(instance)?.instanceId) ?? [])
      : undefined,
  };
}

/** Config records a group again whenever something begins or ceases to refer to it. */
function onlyRelationshipsChanged(document: Fields): boolean {
  const diff = fields(document.configurationItemDiff);
  const changed = Object.keys(fields(diff?.changedProperties) ?? {});
  return (
    diff?.changeType === "UPDATE" &&
    changed.length > 0 &&
    changed.every((key) => key.startsWith("Relationships."))
  );
}

type Fields = Record<string, unknown>;

/** The oversized notification is documented with prose before the JSON, so that a second look begins at the brace. */
function parseDocument(value: string): Fields | undefined {
  for (const text of [value, value.slice(value.indexOf("{"))]) {
    try {
      return fields(JSON.parse(text));
    } catch {}
  }
  return undefined;
}

function fields(value: unknown): Fields | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function clip(value: string): string {
  return value.slice(0, 100);
}
