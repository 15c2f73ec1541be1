import { parseApiCall } from "./api-call.ts";
import { parseConfig } from "./config-item.ts";
import { ignored, type Parsed } from "./event.ts";
import { clip, type Fields, fields, text, timeOf } from "./fields.ts";
import { HEARTBEAT_SOURCE, parseHeartbeat } from "./heartbeat.ts";
import { ALARM_EVENT, parseAlarm, parseQuota, QUOTA_SOURCE } from "./pressure.ts";
import { readRow } from "./read-row.ts";
import { scalingFacts } from "./scaling.ts";
import { serviceRow } from "./table.ts";

export const API_CALL = "AWS API Call via CloudTrail";
export const CONFIG_CHANGE = "Config Configuration Item Change";

/** An EventBridge event: `source`, `detail-type`, `account`, `region`, `time`, `resources` and `detail`. */
export function parseEnvelope(envelope: Fields): Parsed {
  const source = text(envelope.source) ?? "";
  const detailType = text(envelope["detail-type"]) ?? "";
  const detail = fields(envelope.detail);
  const awsAccountId = text(envelope.account) ?? "";
  const region = text(envelope.region);
  if (!detail || !region || !/^\d{12}$/.test(awsAccountId))
    return ignored(`an event of ${clip(source)} without account, Region or detail`);
  const place = { awsAccountId, region, at: timeOf(envelope.time) };
  if (source === HEARTBEAT_SOURCE) return parseHeartbeat(detail, "eventbridge");
  if (source === QUOTA_SOURCE) return parseQuota(detail, place);
  if (detailType === API_CALL) return parseApiCall(detail, place);
  if (detailType === CONFIG_CHANGE) return parseConfig(detail);
  if (detailType === ALARM_EVENT) return parseAlarm(detail, place);

  const row = serviceRow(source, detailType);
  if (!row) return ignored(`${clip(detailType || "events")} of ${clip(source)}: not used`);
  const reading = readRow(row, envelope);
  if (typeof reading === "string") return ignored(reading);
  const { resourceType, kind: type, name, gone } = reading;
  const facts = { gone, ...(type === "server-group" && scalingFacts(detailType, detail)) };
  return { ...place, source: "service", resourceType, type, name, facts };
}
