import { fields, parseJson } from "./fields.ts";

/** An SNS message as HTTP subscribers get it (SNS developer guide, message and JSON formats). */
export interface SnsMessage {
  Type: "Notification" | "SubscriptionConfirmation" | "UnsubscribeConfirmation";
  MessageId: string;
  TopicArn: string;
  Message: string;
  /** ISO 8601 with milliseconds, as received. */
  Timestamp: string;
  SignatureVersion: "1" | "2";
  Signature: string;
  SigningCertURL: string;
  Subject?: string;
  /** Confirmations only. */
  Token?: string;
  SubscribeURL?: string;
}

const TYPES = new Set(["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]);
const REQUIRED = [
  "Type",
  "MessageId",
  "TopicArn",
  "Message",
  "Timestamp",
  "SignatureVersion",
  "Signature",
  "SigningCertURL",
] as const;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;
const MAX_SUBJECT = 100;

export type Malformed = {
  /** False: not even an attempt at an SNS message. */
  isMessage: boolean;
  reason: string;
};

/**
 * Reads a body into a message. Every signed field is a string without control characters (but for `Message`), since
 * the signed text joins fields by line feeds: a line feed inside one could shift the borders between them.
 */
export function parseMessage(body: string): SnsMessage | Malformed {
  const fields = parseObject(body);
  if (!fields || typeof fields.Type !== "string") return { isMessage: false, reason: "no SNS message" };

  const malformed = (reason: string): Malformed => ({ isMessage: true, reason });
  if (!TYPES.has(fields.Type)) return malformed("unknown Type");
  for (const name of REQUIRED) {
    if (typeof fields[name] !== "string") return malformed(`${name} is missing or no string`);
  }
  if (fields.Type === "Notification") {
    if ("Subject" in fields && fields.Subject === null) delete fields.Subject;
    if ("Subject" in fields && typeof fields.Subject !== "string") return malformed("Subject is no string");
  } else {
    for (const name of ["Token", "SubscribeURL"]) {
      if (typeof fields[name] !== "string") return malformed(`${name} is missing or no string`);
    }
  }
  const message = fields as unknown as SnsMessage;
  for (const name of ["MessageId", "TopicArn", "Timestamp", "Subject", "Token", "SubscribeURL"] as const) {
    if (hasControlCharacter(message[name] ?? "")) return malformed(`${name} has control characters`);
  }
  if (!UUID.test(message.MessageId)) return malformed("MessageId is no UUID");
  if (!TIMESTAMP.test(message.Timestamp) || Number.isNaN(Date.parse(message.Timestamp))) {
    return malformed("Timestamp is no ISO time");
  }
  if ((message.Subject?.length ?? 0) > MAX_SUBJECT) return malformed("Subject is too long");
  if (message.SignatureVersion !== "1" && message.SignatureVersion !== "2") {
    return malformed("unknown SignatureVersion");
  }
  return message;
}

/** The bytes that SNS signs: sorted `Name\nValue\n` pairs (SNS developer guide, verifying signatures). */
export function stringToSign(message: SnsMessage): string {
  const names =
    message.Type === "Notification"
      ? (["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] as const)
      : (["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"] as const);
  return names
    .flatMap((name) => {
      const value = message[name];
      return value === undefined ? [] : [`${name}\n${value}\n`];
    })
    .join("");
}

function parseObject(body: string): Record<string, unknown> | undefined {
  return fields(parseJson(body)) as Record<string, unknown> | undefined;
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
