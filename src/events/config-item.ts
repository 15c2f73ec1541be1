import { ignored, type Parsed, type ResourceEvent, type ResourceFacts } from "./event.ts";
import { clip, type Fields, fields, parseJson, text, timeOf } from "./fields.ts";
import { readRow } from "./read-row.ts";
import { configRow, type Row } from "./table.ts";

/** Messages that announce a change, and where the item is. Oversized ones carry all but its configuration. */
export const CHANGES: Readonly<Record<string, string>> = {
  ConfigurationItemChangeNotification: "configurationItem",
  OversizedConfigurationItemChangeNotification: "configurationItemSummary",
  OversizedConfigurationItemChangeDeliveryFailed: "configurationItemSummary",
};
const DELETED = new Set(["ResourceDeleted", "ResourceDeletedNotRecorded"]);
const GROUP = "AWS::AutoScaling::AutoScalingGroup";

/** AWS Config developer guide, example notifications; a deleted item has no configuration. */
export function parseConfig(document: Fields): Parsed {
  const messageType = text(document.messageType) ?? "";
  const part = Object.hasOwn(CHANGES, messageType) ? CHANGES[messageType] : undefined;
  if (!part) return ignored(`AWS Config's ${clip(messageType)} announces no change that is used`);
  const item = fields(document[part]);
  if (!item) return ignored("a change notification without a configuration item");
  const type = text(item.resourceType) ?? "";
  const row = configRow(type);
  if (!row) return ignored(`${clip(type) || "an unnamed type"} is not cached by what aec refreshes`);

  const configuration = configurationOf(item);
  const ARN = text(item.ARN) ?? text(item.arn) ?? text(item.resourceId);
  const reading = readRow(row, { ...item, configuration, ARN });
  const awsAccountId = text(item.awsAccountId) ?? text(item.accountId);
  const region = text(item.awsRegion);
  if (row.kind === undefined) return ignored(`${type}: ${reading}`);
  if (typeof reading === "string" || !awsAccountId || !/^\d{12}$/.test(awsAccountId) || !region)
    return ignored(`${type} without account, Region or name`);
  if (row.relationshipsMeanNothing && onlyRelationshipsChanged(document))
    return ignored("only its relationships changed, which Spinnaker does not cache");
  return {
    source: "config",
    resourceType: reading.resourceType,
    type: reading.kind,
    awsAccountId,
    region,
    name: reading.name,
    at: timeOf(item.configurationItemCaptureTime),
    order: orderOf(row.event, ARN ?? reading.name, item.configurationStateId),
    facts: factsOf(row, item, configuration),
  };
}

/** An object, or one as text within the text. */
function configurationOf({ configuration }: Fields): Fields | undefined {
  return fields(typeof configuration === "string" ? parseJson(configuration) : configuration);
}

/** A number, which the Config API spells as text; 0 is what oversized items may have instead. */
function orderOf(type: string, resource: string, value: unknown): ResourceEvent["order"] {
  const id = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof id === "number" && Number.isFinite(id) && id > 0
    ? { item: `${type}/${resource}`, id }
    : undefined;
}

function factsOf(row: Row, item: Fields, configuration: Fields | undefined): ResourceFacts {
  if (row.part) return { gone: undefined };
  const status = text(item.configurationItemStatus) ?? "";
  if (DELETED.has(status) || item.changeType === "DELETE") return { gone: row.lingers ? undefined : true };
  if (row.event !== GROUP) return { gone: false };
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

/** Config records a resource again whenever something begins or ceases to refer to it. */
function onlyRelationshipsChanged(document: Fields): boolean {
  const diff = fields(document.configurationItemDiff);
  const changed = Object.keys(fields(diff?.changedProperties) ?? {});
  return (
    diff?.changeType === "UPDATE" &&
    changed.length > 0 &&
    changed.every((key) => key.startsWith("Relationships."))
  );
}
