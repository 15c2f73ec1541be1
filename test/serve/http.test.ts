import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { REGION, serve, testSite, until } from "../helpers/site.ts";
import { subscribedReceiver } from "../helpers/sns.ts";

/** A serve that takes messages of one topic of the sandbox, and every request that it makes itself. */
async function listening(argv: readonly string[] = []) {
  const site = await testSite();
  const { arn } = site.aws.sns.createTopic(
    REGION,
    "aec-default",
    new Map([["SignatureVersion", "2"]]),
    new Map(),
  );
  const requests: string[] = [];
  const spy = ((input: URL | string, init?: RequestInit) => {
    requests.push(String(input));
    return fetch(input, init);
  }) as typeof fetch;
  const serving = await serve(site, ["--topic-arn", arn, ...argv], { fetch: spy });
  const post = async (body: string, headers: Record<string, string> = {}) => {
    requests.length = 0;
    const response = await fetch(serving.notify, { method: "POST", body, headers });
    return { status: response.status, text: (await response.text()).trim(), requests: [...requests] };
  };
  const receiver = await subscribedReceiver(site.aws, arn);
  const signed = async (message: string, subject?: string) => {
    const count = receiver.notifications().length;
    site.aws.sns.publish({ topicArn: arn, message, ...(subject && { subject }) });
    await until(() => receiver.notifications().length > count, "the signed copy");
    return receiver.notifications()[count] ?? "";
  };
  return { site, serving, arn, post, signed, receiver };
}

describe("the endpoint", () => {
  test("a genuine message costs one certificate fetch, from the configured endpoint, once", async () => {
    const { post, signed, site } = await listening();
    const first = await post(await signed("hello"));
    expect(first).toMatchObject({ status: 200, requests: [site.aws.certificate.url] });
    const second = await post(await signed("again", "with a subject"));
    expect(second).toMatchObject({ status: 200, requests: [] });
  });

  test("forged, unsigned, foreign and old messages: 403 and no request but that one", async () => {
    const { post, signed, site } = await listening();
    const body = JSON.parse(await signed("hello")) as Record<string, string>;
    const forged = await post(JSON.stringify({ ...body, Message: "evil" }));
    expect(forged).toMatchObject({ status: 403, requests: [site.aws.certificate.url] });
    for (const [change, reason] of [
      [{ Signature: undefined }, "Signature is missing"],
      [{ TopicArn: "arn:aws:sns:us-east-1:999999999999:aec-default" }, "is not allowed"],
      [{ Timestamp: "2020-01-01T00:00:00.000Z" }, "outside the time window"],
      [{ SigningCertURL: "http://127.0.0.1:1/SimpleNotificationService-0a.pem" }, "not the topic's SNS host"],
      [{ Type: "SubscriptionConfirmation", Token: "t", SubscribeURL: "http://127.0.0.1:1/" }, "signature"],
    ] as const) {
      const answer = await post(JSON.stringify({ ...body, ...change }));
      expect(answer).toMatchObject({ status: 403, requests: [] });
      expect(answer.text).toContain(reason);
    }
  });

  test("no message at all: 400; another path or method: 404, 405; raw delivery: 403", async () => {
    const { post, serving } = await listening();
    expect((await post("hello")).status).toBe(400);
    expect((await post("")).status).toBe(400);
    expect((await fetch(`${serving.notify}/x`, { method: "POST", body: "{}" })).status).toBe(404);
    const get = await fetch(serving.notify);
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await post("{}", { "x-amz-sns-rawdelivery": "true" })).status).toBe(403);
  });

  test("a message of 2 MB is cut off, announced or not", async () => {
    const { serving, post } = await listening();
    expect((await post("x".repeat(2_000_000)).catch(() => ({ status: 413 }))).status).toBe(413);

    const { hostname, port, pathname } = new URL(serving.notify);
    const socket = connect(Number(port), hostname);
    let answer = "";
    let sent = 0;
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(`POST ${pathname} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
    const block = "x".repeat(65_536);
    const feed = setInterval(() => {
      if (sent >= 2_000_000) return;
      sent += block.length;
      socket.write(`10000\r\n${block}\r\n`);
    }, 1);
    await closed;
    clearInterval(feed);
    expect(answer).toMatch(/^HTTP\/1\.1 413/);
  });

  test("an unsubscription is logged and not answered by a new subscription", async () => {
    const { post, receiver, serving, site, arn } = await listening();
    const before = site.aws.requests.filter(({ action }) => action === "ConfirmSubscription").length;
    const [subscriptionArn = ""] = [...site.aws.sns.subscriptions.keys()].filter((key) =>
      key.startsWith(arn),
    );
    site.aws.sns.unsubscribe(subscriptionArn, { signed: true });
    await until(
      () => receiver.notifications().some((body) => body.includes("UnsubscribeConfirmation")),
      "the farewell",
    );
    const farewell = receiver.notifications().at(-1) ?? "";
    expect((await post(farewell)).status).toBe(200);
    expect(serving.log()).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining("no more events") }),
    );
    expect(site.aws.requests.filter(({ action }) => action === "ConfirmSubscription").length).toBe(before);
  });
});
