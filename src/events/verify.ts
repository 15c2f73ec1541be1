import { type KeyObject, verify } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { SigningKeys } from "./certificate.ts";
import { parseMessage, type SnsMessage, stringToSign } from "./message.ts";
import { isCertificateUrl, type SigningHost } from "./signing-host.ts";

export interface VerificationPolicy {
  /** ARNs whose messages are taken, compared exactly, and who signs for them. */
  topics: ReadonlyMap<string, SigningHost | undefined>;
  /** Refuse signature version 1 (SHA-1). */
  requireVersion2: boolean;
  keys: SigningKeys;
  clock: Clock;
  /** What waited in a queue may be of any age. */
  anyAge?: boolean;
}

export type Verification =
  | { result: "valid"; message: SnsMessage }
  /** No message at all: 400. */
  | { result: "no-message"; reason: string }
  /** Forged, foreign, malformed or out of time: 403. */
  | { result: "invalid"; reason: string }
  /** Cannot be told now, a retry may succeed: 503. */
  | { result: "unavailable"; reason: string };

/** SNS retries over HTTP for an hour at most. */
const MAX_AGE_MS = 65 * 60_000;
const MAX_AHEAD_MS = 5 * 60_000;

/**
 * Verifies one body as SNS sent it. Everything that costs nothing is checked first: a certificate is only ever fetched
 * for an allowed topic, from that topic's own SNS host.
 */
export async function verifyMessage(body: string, policy: VerificationPolicy): Promise<Verification> {
  const message = parseMessage(body);
  if ("reason" in message) {
    return { result: message.isMessage ? "invalid" : "no-message", reason: message.reason };
  }
  const invalid = (reason: string): Verification => ({ result: "invalid", reason });

  const host = policy.topics.get(message.TopicArn);
  if (!host) return invalid(`topic ${message.TopicArn.slice(0, 200)} is not allowed`);
  if (policy.requireVersion2 && message.SignatureVersion !== "2")
    return invalid("signature version 1 is not allowed");

  const age = policy.clock.now() - Date.parse(message.Timestamp);
  if (!policy.anyAge && (age > MAX_AGE_MS || age < -MAX_AHEAD_MS))
    return invalid(`sent at ${message.Timestamp}, outside the time window`);

  if (!isCertificateUrl(message.SigningCertURL, host))
    return invalid("SigningCertURL is not the topic's SNS host");
  const signature = Buffer.from(message.Signature, "base64");
  if (signature.toString("base64") !== message.Signature) return invalid("Signature is not base64");

  const answer = await policy.keys(message.SigningCertURL, host);
  if ("unavailable" in answer) return { result: "unavailable", reason: answer.unavailable };
  if ("rejected" in answer) return invalid(answer.rejected);
  const algorithm = message.SignatureVersion === "2" ? "sha256" : "sha1";
  return (await isSigned(algorithm, stringToSign(message), answer.key, signature))
    ? { result: "valid", message }
    : invalid("the signature does not match");
}

/** In the thread pool: a flood of messages must not keep the event loop from answering. */
function isSigned(
  algorithm: "sha1" | "sha256",
  text: string,
  key: KeyObject,
  signature: Buffer,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(algorithm, Buffer.from(text, "utf8"), key, signature, (error, valid) =>
      error ? reject(error) : resolve(valid),
    );
  });
}
