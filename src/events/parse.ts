import { parseConfig } from "./config-item.ts";
import { parseEnvelope } from "./envelope.ts";
import { ignored, type Parsed } from "./event.ts";
import { type Fields, fields, text } from "./fields.ts";
import { parseHeartbeat } from "./heartbeat.ts";
import { parseDirectAlarm } from "./pressure.ts";
import { parseScalingNotification } from "./scaling.ts";

/** Reads the `Message` of a notification. Never throws: what cannot be read is irrelevant, with the reason. */
export function parseEvent(message: string): Parsed {
  const document = parseDocument(message);
  if (!document) return ignored("the message is no JSON object");
  if (text(document.aec) === "test") return ignored("a test message of aec: it arrived and is verified");
  if (text(document.aec) === "heartbeat") return parseHeartbeat(document, "sns");
  if (typeof document.messageType === "string") return parseConfig(document);
  if (typeof document.source === "string") return parseEnvelope(document);
  if (typeof document.AutoScalingGroupName === "string") return parseScalingNotification(document);
  if (typeof document.AlarmName === "string") return parseDirectAlarm(document);
  return ignored("neither an AWS Config nor an EventBridge message");
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
