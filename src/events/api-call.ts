import { type EventPlace, ignored, type Parsed } from "./event.ts";
import { clip, type Fields, text } from "./fields.ts";
import { readRow } from "./read-row.ts";
import { callRow } from "./table.ts";

/** The `detail` of an API call via CloudTrail (EventBridge user guide, events from AWS services). */
export function parseApiCall(detail: Fields, place: EventPlace): Parsed {
  const eventSource = text(detail.eventSource) ?? "";
  const eventName = text(detail.eventName) ?? "";
  const row = callRow(eventSource, eventName);
  if (!row) return ignored(`the call ${clip(eventName)} changes nothing that aec refreshes`);
  const failed = detail.errorCode ?? detail.errorMessage;
  if (failed) return ignored(`the call ${eventName} failed (${clip(String(failed))})`);
  const reading = readRow(row, detail);
  if (typeof reading === "string") return ignored(`the call ${eventName} names no resource`);
  const { resourceType, kind: type, name } = reading;
  return {
    awsAccountId: text(detail.recipientAccountId) ?? place.awsAccountId,
    region: text(detail.awsRegion) ?? place.region,
    at: place.at,
    source: "cloudtrail",
    resourceType,
    type,
    name,
    // A call is the beginning of a change: what it leads to is told by AWS, not by the request.
    facts: { gone: undefined },
  };
}
