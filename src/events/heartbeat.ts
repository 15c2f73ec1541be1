import { HEARTBEAT_SOURCE } from "./envelope.ts";
import { fields, text, timeOf } from "./fields.ts";

/** A message that shows that events arrive. */
export interface Heartbeat {
  /** The way that it came: published to the topic, or as an event through a rule. */
  path: "sns" | "eventbridge";
  /** Ms since the epoch. */
  sentAt: number;
}

/** What a heartbeat holds, as the message of a notification. */
export function heartbeatText(sentAt: number): string {
  return JSON.stringify({ aec: "heartbeat", sentAt: new Date(sentAt).toISOString() });
}

/** Reads a heartbeat; undefined for any other message. */
export function heartbeatOf(message: string): Heartbeat | undefined {
  if (!message.includes("heartbeat")) return undefined;
  try {
    const document = fields(JSON.parse(message));
    const byRule = document?.source === HEARTBEAT_SOURCE;
    const beat = byRule ? fields(document.detail) : document;
    if (!beat || text(beat.aec) !== "heartbeat") return undefined;
    const sentAt = timeOf(beat.sentAt);
    return sentAt > 0 ? { path: byRule ? "eventbridge" : "sns", sentAt } : undefined;
  } catch {
    return undefined;
  }
}
