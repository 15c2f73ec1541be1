import type { ResourceType } from "../agents/kinds.ts";
import type { Irrelevant, ResourceEvent, ResourceFacts } from "./event.ts";
import { clip, type Fields, fields, text, timeOf } from "./fields.ts";

/** What AWS Config has to record, and the kind that each type refreshes. */
export const CONFIG_TYPES: Readonly<Record<string, ResourceType>> = {
  "AWS::AutoScaling::AutoScalingGroup": "server-group",
  "AWS::EC2::SecurityGroup": "security-group",
};
/** Messages that announce a change, and where the item is. Oversized ones carry all but its configuration. */
export const CHANGES: Readonly<Record<string, string>> = {
  ConfigurationItemChangeNotification: "configurationItem",
  OversizedConfigurationItemChangeNotification: "configurationItemSummary",
  OversizedConfigurationItemChangeDeliveryFailed: "configurationItemSummary",
};
const DELETED = new Set(["ResourceDeleted", "ResourceDeletedNotRecorded"]);

/** AWS Config developer guide, example notifications; a deleted item has no configuration. */
export function parseConfig(document: Fields): ResourceEvent | Irrelevant {
  const messageType = text(document.messageType) ?? "";
  const part = Object.hasOwn(CHANGES, messageType) ? CHANGES[messageType] : undefined;
  if (!part) return { ignored: `AWS Config's ${clip(messageType)} announces no change that is used` };
  const item = fields(document[part]);
  if (!item) return { ignored: "a change notification without a configuration item" };
  const resourceType = text(item.resourceType) ?? "";
  const type = Object.hasOwn(CONFIG_TYPES, resourceType) ? CONFIG_TYPES[resourceType] : undefined;
  if (!type)
    return { ignored: `${clip(resourceType) || "an unnamed type"} is not cached by what aec refreshes` };

  const awsAccountId = text(item.awsAccountId) ?? text(item.accountId);
  const region = text(item.awsRegion);
  const configuration = configurationOf(item);
  const name = type === "server-group" ? groupName(item, configuration) : text(item.resourceId);
  if (!awsAccountId || !/^\d{12}$/.test(awsAccountId) || !region || !name) {
    return { ignored: `${resourceType} without account, Region or name` };
  }
  if (type === "security-group" && onlyRelationshipsChanged(document)) {
    return { ignored: "only relationships of the security group changed, which Spinnaker does not cache" };
  }
  return {
    source: "config",
    resourceType,
    type,
    awsAccountId,
    region,
    name,
    at: timeOf(item.configurationItemCaptureTime),
    facts: factsOf(item, configuration),
  };
}

/** An object, or one as text within the text. */
function configurationOf({ configuration }: Fields): Fields | undefined {
  if (typeof configuration !== "string") return fields(configuration);
  try {
    return fields(JSON.parse(configuration));
  } catch {
    return undefined;
  }
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
