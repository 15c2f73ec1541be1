import { type Irrelevant, ignored } from "./event.ts";
import { type Fields, text, timeOf } from "./fields.ts";

/** The source of `aec`'s own events. */
export const HEARTBEAT_SOURCE = "aec.heartbeat";

/** What a heartbeat holds: as the message of a notification, and as the detail of an event. */
export function heartbeatText(sentAt: number): string {
  return JSON.stringify({ aec: "heartbeat", sentAt: new Date(sentAt).toISOString() });
}

export function parseHeartbeat(document: Fields, path: "sns" | "eventbridge"): Irrelevant {
  const sentAt = timeOf(text(document.sentAt));
  const beat = ignored("a heartbeat of aec");
  return sentAt > 0 ? { ...beat, heartbeat: { path, sentAt } } : beat;
}
