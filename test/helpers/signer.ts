import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type SnsMessage, stringToSign } from "../../src/events/message.ts";
import { createCertificate } from "../../src/sandbox/aws/certificate.ts";

export type Envelope = Record<string, unknown>;

/** A host that signs as SNS does, for as long as the test lasts. */
export async function signer(now: number, topicArn: string) {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { pem } = await createCertificate(now, { keys });
  let fetched = 0;
  const server = createServer((_, response) => {
    fetched += 1;
    response.end(pem);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (fields: Envelope): Envelope => {
    const text = stringToSign(fields as unknown as SnsMessage);
    return { ...fields, Signature: createSign("sha256").update(text).sign(keys.privateKey, "base64") };
  };
  return {
    url,
    /** How often the certificate was fetched. */
    fetched: () => fetched,
    sign,
    /** A notification, not signed yet. */
    notification: (message: string): Envelope => ({
      Type: "Notification",
      MessageId: randomUUID(),
      TopicArn: topicArn,
      Message: message,
      Timestamp: new Date(now).toISOString(),
      SignatureVersion: "2",
      SigningCertURL: `${url}/SimpleNotificationService-0af1.pem`,
    }),
  };
}
