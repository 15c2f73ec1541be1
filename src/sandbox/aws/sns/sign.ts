import { type KeyObject, sign } from "node:crypto";

/** What SNS signs with, and where receivers find the certificate. */
export interface Signer {
  key: KeyObject;
  certificateUrl: string;
}

const SIGNED_MEMBERS = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  confirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
};

/** `Name\nValue\n` of the signed members that are there (SNS developer guide, verifying signatures). */
function stringToSign(message: Readonly<Record<string, unknown>>): string {
  const names = message.Type === "Notification" ? SIGNED_MEMBERS.Notification : SIGNED_MEMBERS.confirmation;
  return names
    .filter((name) => message[name] !== undefined)
    .map((name) => `${name}\n${message[name]}\n`)
    .join("");
}

/** The signature members of an envelope: version "1" is SHA-1 with RSA, "2" SHA-256 with RSA. */
export function signature(message: Readonly<Record<string, unknown>>, version: string, signer: Signer) {
  const digest = version === "2" ? "sha256" : "sha1";
  return {
    SignatureVersion: version,
    Signature: sign(digest, Buffer.from(stringToSign(message)), signer.key).toString("base64"),
    SigningCertURL: signer.certificateUrl,
  };
}
