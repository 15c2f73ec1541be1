import { createSign, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { createSigningKeys } from "../../src/events/certificate.ts";
import { stringToSign } from "../../src/events/message.ts";
import { isCertificateUrl, parseTopicArn, signingHost, signingHosts } from "../../src/events/signing-host.ts";
import { verifyMessage } from "../../src/events/verify.ts";
import { createCertificate } from "../../src/sandbox/aws/certificate.ts";

const NOW = Date.parse("2026-11-20T12:00:00.000Z");
const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-prod";
const URL_OF_CERTIFICATE = `https://sns.us-east-1.amazonaws.com/SimpleNotificationService-${"0af1".repeat(8)}.pem`;
const DAY = 86_400_000;

type Fields = Record<string, string>;
const genuine: Fields = {
  Type: "Notification",
  MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  TopicArn: TOPIC,
  Subject: "My First Message",
  Message: 'Hello\nworld "with" quotes',
  Timestamp: "2026-11-20T11:59:00.000Z",
  SignatureVersion: "2",
  SigningCertURL: URL_OF_CERTIFICATE,
};
const confirmation: Fields = {
  Type: "SubscriptionConfirmation",
  MessageId: "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
  TopicArn: TOPIC,
  Token: "2336412f37",
  Message: "You have chosen to subscribe",
  SubscribeURL: "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
  Timestamp: "2026-11-20T11:59:00.000Z",
  SignatureVersion: "2",
  SigningCertURL: URL_OF_CERTIFICATE,
};

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const attacker = generateKeyPairSync("rsa", { modulusLength: 2048 });
let pem: string;

beforeAll(async () => {
  pem = await certificate({});
});

async function certificate(more: {
  name?: string;
  from?: number;
  to?: number;
  keys?: typeof pair;
}): Promise<string> {
  const name = more.name ?? "sns.amazonaws.com";
  const made = await createCertificate(NOW, {
    keys: more.keys ?? pair,
    commonName: name,
    altNames: [name],
    notBefore: more.from ?? NOW - DAY,
    notAfter: more.to ?? NOW + DAY,
  });
  return made.pem;
}

function sign(fields: Fields, keys = pair): string {
  const algorithm = fields.SignatureVersion === "1" ? "RSA-SHA1" : "RSA-SHA256";
  const signer = createSign(algorithm).update(stringToSign(fields as never));
  return JSON.stringify({ ...fields, Signature: signer.sign(keys.privateKey, "base64") });
}

/** Verifies on a frozen clock; `requests` are the URLs that were fetched. */
function verifier(answer: (url: string) => Response | Promise<Response> = () => new Response(pem)) {
  const requests: string[] = [];
  let now = NOW;
  const clock = { ...systemClock(), now: () => now };
  const fetcher = (async (url: string) => {
    requests.push(url);
    return answer(url);
  }) as typeof fetch;
  const policy = {
    topics: signingHosts([TOPIC], undefined),
    requireVersion2: false,
    keys: createSigningKeys(fetcher, clock),
    clock,
  };
  return {
    requests,
    policy,
    advance: (ms: number) => {
      now += ms;
    },
    check: (body: string) => verifyMessage(body, policy),
  };
}

describe("genuine messages", () => {
  test.each([
    ["a notification", genuine],
    ["version 1", { ...genuine, SignatureVersion: "1" }],
    ["without a subject", Object.fromEntries(Object.entries(genuine).filter(([name]) => name !== "Subject"))],
    ["a confirmation", confirmation],
    ["an unsubscription", { ...confirmation, Type: "UnsubscribeConfirmation" }],
  ])("%s is valid, with one certificate fetch", async (_, fields) => {
    const { check, requests } = verifier();
    expect(await check(sign(fields as Fields))).toMatchObject({ result: "valid" });
    await check(sign(fields as Fields));
    expect(requests).toEqual([URL_OF_CERTIFICATE]);
  });

  test("many at once share one certificate fetch", async () => {
    const { check, requests } = verifier();
    const results = await Promise.all(Array.from({ length: 50 }, () => check(sign(genuine))));
    expect(results.every(({ result }) => result === "valid")).toBe(true);
    expect(requests).toHaveLength(1);
  });
});

describe("refused without any request", () => {
  const unfetched = async (
    body: string,
    result: string,
    reason: RegExp,
    adjust?: (v: ReturnType<typeof verifier>) => void,
  ) => {
    const subject = verifier();
    adjust?.(subject);
    expect(await subject.check(body)).toMatchObject({ result, reason: expect.stringMatching(reason) });
    expect(subject.requests).toEqual([]);
  };

  test.each([
    ["", /no SNS message/],
    ["null", /no SNS message/],
    ["[]", /no SNS message/],
    ["{}", /no SNS message/],
    ['{"Type": 7}', /no SNS message/],
    ["{", /no SNS message/],
  ])("no message at all: %j", (body, reason) => unfetched(body, "no-message", reason));

  test("a topic of somebody else, however well signed", () =>
    unfetched(
      sign({ ...genuine, TopicArn: "arn:aws:sns:us-east-1:999999999999:aec-prod" }),
      "invalid",
      /not allowed/,
    ));

  test("the re-split forgery: another Type that carries the tail", () =>
    unfetched(sign({ ...genuine, Type: `Notification\nTopicArn\n${TOPIC}` }), "invalid", /unknown Type/));

  test.each(["MessageId", "TopicArn", "Timestamp", "Subject"])("a line feed in %s", (name) =>
    unfetched(sign({ ...genuine, [name]: `${genuine[name]}\nType` }), "invalid", /control characters/),
  );

  test.each([
    ["an S3 bucket named sns", "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-0a.pem"],
    ["S3 itself", "https://s3.amazonaws.com/sns/SimpleNotificationService-0a.pem"],
    ["another Region", URL_OF_CERTIFICATE.replace("us-east-1", "us-west-2")],
    ["a longer host", URL_OF_CERTIFICATE.replace(".com/", ".com.evil.example/")],
    ["userinfo", URL_OF_CERTIFICATE.replace("https://", "https://sns.us-east-1.amazonaws.com@evil.example/")],
    ["a port", URL_OF_CERTIFICATE.replace(".com/", ".com:444/")],
    ["plain http", URL_OF_CERTIFICATE.replace("https", "http")],
    ["a query", `${URL_OF_CERTIFICATE}?x=1`],
    ["a hash", `${URL_OF_CERTIFICATE}#x`],
    ["another path", "https://sns.us-east-1.amazonaws.com/evil.pem"],
    ["dots", "https://sns.us-east-1.amazonaws.com/x/../SimpleNotificationService-0a.pem"],
    ["an emulator's path", "https://sns.us-east-1.amazonaws.com/_aws/sns/SimpleNotificationService-0a.pem"],
    ["capitals", URL_OF_CERTIFICATE.replace("sns.", "SNS.")],
    ["FIPS", URL_OF_CERTIFICATE.replace("sns.", "sns-fips.")],
    ["nothing", ""],
  ])("a certificate from %s", (_, url) =>
    unfetched(sign({ ...genuine, SigningCertURL: url }), "invalid", /not the topic's SNS host/),
  );

  test.each([
    ["2026-11-20T10:54:59.000Z", /time window/],
    ["2026-11-20T12:05:01.000Z", /time window/],
    ["yesterday", /no ISO time/],
    ["2026-13-20T11:59:00.000Z", /no ISO time/],
  ])("sent at %s", (Timestamp, reason) => unfetched(sign({ ...genuine, Timestamp }), "invalid", reason));

  test("version 1 where 2 is required", () =>
    unfetched(sign({ ...genuine, SignatureVersion: "1" }), "invalid", /version 1/, ({ policy }) => {
      policy.requireVersion2 = true;
    }));

  test.each([
    ["SignatureVersion", "3"],
    ["MessageId", "not-a-uuid"],
    ["Subject", "x".repeat(101)],
  ])("%s: %s", (name, value) => unfetched(sign({ ...genuine, [name]: value }), "invalid", new RegExp(name)));

  test.each(["Message", "MessageId", "Timestamp", "SigningCertURL", "SignatureVersion", "Signature"])(
    "without %s, or with a number there",
    async (name) => {
      const fields = JSON.parse(sign(genuine)) as Fields;
      await unfetched(JSON.stringify({ ...fields, [name]: undefined }), "invalid", new RegExp(name));
      await unfetched(JSON.stringify({ ...fields, [name]: 1 }), "invalid", new RegExp(name));
    },
  );

  test("a signature that is no base64", () =>
    unfetched(JSON.stringify({ ...genuine, Signature: "!!!" }), "invalid", /base64/));
});

describe("refused after at most one fetch", () => {
  test.each(["Message", "Subject", "MessageId", "Timestamp"])("%s tampered with", async (name) => {
    const { check, requests } = verifier();
    const fields = JSON.parse(sign(genuine)) as Fields;
    const other = {
      Message: "x",
      Subject: "x",
      MessageId: fields.MessageId?.replace("2", "3"),
      Timestamp: "2026-11-20T11:58:00.000Z",
    };
    const body = JSON.stringify({ ...fields, [name]: other[name as keyof typeof other] });
    expect(await check(body)).toEqual({ result: "invalid", reason: "the signature does not match" });
    expect(requests).toHaveLength(1);
  });

  test("signed by another key", async () => {
    expect(await verifier().check(sign(genuine, attacker))).toMatchObject({ result: "invalid" });
  });

  test("a SHA-1 signature passed off as version 2", async () => {
    const body = JSON.parse(sign({ ...genuine, SignatureVersion: "1" })) as Fields;
    expect(await verifier().check(JSON.stringify({ ...body, SignatureVersion: "2" }))).toMatchObject({
      result: "invalid",
    });
  });

  test.each([
    ["expired", () => certificate({ to: NOW - 2_000 }), /not valid now/],
    ["not yet valid", () => certificate({ from: NOW + 2_000 }), /not valid now/],
    ["for another host", () => certificate({ name: "example.com" }), /not issued for sns\.amazonaws\.com/],
    [
      "with a short key",
      () => certificate({ keys: generateKeyPairSync("rsa", { modulusLength: 1024 }) }),
      /2048 bits/,
    ],
  ])("the certificate: %s", async (_, text, reason) => {
    const { check, requests } = verifier(async () => new Response(await text()));
    expect(await check(sign(genuine))).toMatchObject({
      result: "invalid",
      reason: expect.stringMatching(reason),
    });
    await check(sign(genuine));
    expect(requests).toHaveLength(1);
  });

  test("a certificate that the host does not have", async () => {
    const { check } = verifier(() => new Response("", { status: 404 }));
    expect(await check(sign(genuine))).toMatchObject({ result: "invalid" });
  });

  test("a certificate that expires while it is kept", async () => {
    const { check, advance, requests } = verifier(
      async () => new Response(await certificate({ to: NOW + 60_000 })),
    );
    expect(await check(sign(genuine))).toMatchObject({ result: "valid" });
    advance(61_000);
    expect(await check(sign(genuine))).toMatchObject({
      result: "invalid",
      reason: expect.stringContaining("not valid now"),
    });
    expect(requests).toHaveLength(1);
  });
});

describe("a certificate that cannot be had now is worth a retry", () => {
  test.each([
    ["two of them", () => `${pem}${pem}`],
    ["a proxy's page", () => "<html></html>"],
    ["17 KiB", () => pem + " ".repeat(17 * 1024)],
    ["garbage", () => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ])("an answer that is no single certificate: %s", async (_, text) => {
    const { check } = verifier(() => new Response(text()));
    expect(await check(sign(genuine))).toMatchObject({ result: "unavailable" });
  });

  test.each([
    ["429", () => new Response("", { status: 429 })],
    ["403", () => new Response("", { status: 403 })],
    ["500", () => new Response("", { status: 500 })],
    ["a redirect or no network", () => Promise.reject(new TypeError("fetch failed"))],
  ])("%s", async (_, answer) => {
    const { check, advance } = verifier(answer);
    expect(await check(sign(genuine))).toMatchObject({ result: "unavailable" });
    advance(61_000);
    expect(await check(sign(genuine))).toMatchObject({ result: "unavailable" });
  });

  test("forged names cannot make it ask more than a few times a minute, nor lock out a certificate it knows", async () => {
    const subject = verifier();
    await subject.check(sign(genuine));
    for (let index = 0; index < 100; index += 1) {
      const SigningCertURL = URL_OF_CERTIFICATE.replace("0af1", `${1000 + index}`);
      await subject.check(sign({ ...genuine, SigningCertURL }, attacker));
    }
    expect(subject.requests.length).toBeLessThanOrEqual(4);
    expect(await subject.check(sign(genuine))).toMatchObject({ result: "valid" });
  });
});

describe("signing hosts of the partitions", () => {
  const host = (arn: string, endpoint?: string) => {
    const parsed = parseTopicArn(arn);
    return parsed && signingHost(parsed, endpoint);
  };
  test.each([
    ["arn:aws:sns:eu-west-1:012345678901:t", "https://sns.eu-west-1.amazonaws.com", "sns.amazonaws.com"],
    [
      "arn:aws:sns:af-south-1:012345678901:t",
      "https://sns.af-south-1.amazonaws.com",
      "sns-signing.af-south-1.amazonaws.com",
    ],
    [
      "arn:aws-us-gov:sns:us-gov-east-1:012345678901:t",
      "https://sns.us-gov-east-1.amazonaws.com",
      "sns-us-gov-west-1.amazonaws.com",
    ],
    [
      "arn:aws-cn:sns:cn-northwest-1:012345678901:t",
      "https://sns.cn-northwest-1.amazonaws.com.cn",
      "sns-cn-northwest-1.amazonaws.com.cn",
    ],
    [
      "arn:aws-eusc:sns:eusc-de-east-1:012345678901:t",
      "https://sns.eusc-de-east-1.amazonaws.eu",
      "sns-signing.eusc-de-east-1.amazonaws.eu",
    ],
  ])("%s", (arn, origin, leafName) => {
    expect(host(arn)).toEqual({ origin, leafName });
  });

  test("a configured endpoint is the only host, and AWS's own is not one then", () => {
    const configured = host(TOPIC, "http://127.0.0.1:4566");
    expect(configured).toEqual({ origin: "http://127.0.0.1:4566", leafName: undefined });
    if (!configured) return;
    expect(
      isCertificateUrl("http://127.0.0.1:4566/_aws/sns/SimpleNotificationService-0a.pem", configured),
    ).toBe(true);
    expect(isCertificateUrl(URL_OF_CERTIFICATE, configured)).toBe(false);
  });
});
