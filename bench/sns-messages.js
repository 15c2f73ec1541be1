// Signed SNS messages of a topic, and the host that gives out the certificate to check them by.
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { stringToSign } from "../dist/events/message.js";
import { createCertificate } from "../dist/sandbox/aws/certificate.js";

const DAY_MS = 86_400_000;
const PATH = "/SimpleNotificationService-0af1.pem";
export const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-bench";

/** Starts the signing host; `message` signs the body of a notification. */
export async function signingHost() {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const now = Date.now();
  const names = { commonName: "sns.amazonaws.com", altNames: ["sns.amazonaws.com"] };
  const { pem } = await createCertificate(now, {
    keys,
    ...names,
    notBefore: now - DAY_MS,
    notAfter: now + DAY_MS,
  });
  const server = createServer((_, response) => response.end(pem)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const message = (document) => {
    const fields = {
      Type: "Notification",
      MessageId: randomUUID(),
      TopicArn: TOPIC,
      Message: JSON.stringify(document),
      Timestamp: new Date().toISOString(),
      SignatureVersion: "2",
      SigningCertURL: `${url}${PATH}`,
    };
    const Signature = createSign("sha256").update(stringToSign(fields)).sign(keys.privateKey, "base64");
    return JSON.stringify({ ...fields, Signature });
  };
  return {
    url,
    publicKey: keys.publicKey.export({ type: "spki", format: "pem" }),
    message,
    close: () => server.close(),
  };
}

/**
 * Posts all bodies over so many connections; resolves with the status counts, what was answered 503, and the
 * slowest percent, ms. Written on
 * bare sockets, so that the one who asks is not what is measured.
 */
export async function post(url, bodies, connections) {
  const { hostname, port, pathname } = new URL(url);
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const statuses = {};
  const times = [];
  const again = [];
  let next = 0;
  const lane = async () => {
    const socket = connect(Number(port), hostname).setNoDelay(true);
    await once(socket, "connect");
    await new Promise((resolve, reject) => {
      let began = 0;
      let answer = "";
      let asked = 0;
      const ask = () => {
        asked = next++;
        const wanted = requests[asked];
        if (!wanted) return resolve();
        began = performance.now();
        socket.write(wanted);
      };
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the server closed the connection")));
      socket.on("data", (chunk) => {
        answer += chunk.toString("latin1");
        if (!isComplete(answer)) return;
        times.push(performance.now() - began);
        const status = answer.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === "503") again.push(bodies[asked]);
        answer = "";
        ask();
      });
      ask();
    });
    socket.removeAllListeners("close").destroy();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, lane));
  const seconds = (performance.now() - started) / 1_000;
  const sorted = times.toSorted((a, b) => a - b);
  return {
    perSecond: bodies.length / seconds,
    statuses,
    again,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

function isComplete(answer) {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /content-length: (\d+)/i.exec(answer.slice(0, end))?.[1];
  return length === undefined ? answer.endsWith("0\r\n\r\n") : answer.length >= end + 4 + Number(length);
}
