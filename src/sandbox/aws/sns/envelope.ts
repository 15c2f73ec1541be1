import { type Signer, signature } from "./sign.ts";

/** The three JSON documents SNS posts to HTTP(S) endpoints. */
export type EnvelopeType = "SubscriptionConfirmation" | "Notification" | "UnsubscribeConfirmation";

/** `MessageAttributes` of a notification. */
export type MessageAttributes = Readonly<Record<string, { Type: string; Value: string }>>;

interface Common {
  MessageId: string;
  TopicArn: string;
  /** ISO 8601 with milliseconds, UTC. */
  Timestamp: string;
}

/** A signed Notification; members in AWS's order, those without a value left out. */
export function notification(
  parts: Common & { Message: string; Subject?: string | undefined },
  version: string,
  signer: Signer,
) {
  const { MessageId, TopicArn, Timestamp, Message, Subject } = parts;
  const signed = { Type: "Notification", MessageId, TopicArn, Subject, Message, Timestamp };
  return { ...signed, ...signature(signed, version, signer) };
}

/** A signed SubscriptionConfirmation or UnsubscribeConfirmation. */
export function confirmation(
  parts: Common & { Type: EnvelopeType; Token: string; SubscribeURL: string; subscriptionArn: string },
  version: string,
  signer: Signer,
) {
  const { Type, MessageId, Token, TopicArn, SubscribeURL, Timestamp } = parts;
  const Message =
    Type === "SubscriptionConfirmation"
      ? `You have chosen to subscribe to the topic ${TopicArn}.\n` +
        "To confirm the subscription, visit the SubscribeURL included in this message."
      : `You have chosen to deactivate subscription ${parts.subscriptionArn}.\n` +
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.";
  const signed = { Type, MessageId, Token, TopicArn, Message, SubscribeURL, Timestamp };
  return { ...signed, ...signature(signed, version, signer) };
}

/** The body SNS sends: pretty-printed by AWS with two spaces and ` : `. */
export function envelopeBody(envelope: object): string {
  const members = Object.entries(envelope).filter(([, value]) => value !== undefined);
  return `{\n${members.map(([name, value]) => `  ${JSON.stringify(name)} : ${JSON.stringify(value)}`).join(",\n")}\n}`;
}
