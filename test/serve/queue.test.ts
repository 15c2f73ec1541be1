import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { REGION, serve, type TestSite, testSite, until } from "../helpers/site.ts";
import { clients } from "../sandbox/aws/support.ts";

const QUEUE = `arn:aws:sqs:${REGION}:012345678901:aec-default-events`;

/** A site whose topic delivers into the event queue, and a serve that receives from it. */
async function queued(site: TestSite, ...argv: string[]) {
  const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
  expect(created.exit, created.stderr).toBe(0);
  const { topicArn, queueUrl } = created.json<{ topicArn: string; queueUrl: string }>();
  site.aws.config.enable(REGION, topicArn);
  const serving = await serve(site, ["--queue-url", queueUrl, ...argv]);
  const cached = (name: string) =>
    site.clouddriver.cache.get("auto-scaling-group", site.account, REGION, name) !== undefined;
  return { serving, queueUrl, topicArn, cached, left: () => site.aws.sqs.queues.get(QUEUE)?.messages.length };
}

describe("serve --queue-url", () => {
  test("receives, verifies, applies, and only then deletes", async () => {
    const site = await testSite();
    const { serving, cached, left } = await queued(site);
    site.group("app-main-v001", 1);
    await until(() => cached("app-main-v001"), "the group in the cache");
    await until(() => left() === 0, "the message to be deleted");
    const [settled] = serving.log().filter(({ msg }) => msg === "message settled");
    expect(settled).toMatchObject({ outcome: "applied", signature: "valid" });
    expect(await serving.stop()).toBe(0);
  });

  test("an event that EventBridge puts into the queue itself is taken too", async () => {
    const site = await testSite();
    const { serving, queueUrl, left } = await queued(site);
    const event = {
      source: "aws.ec2",
      "detail-type": "EC2 Spot Instance Interruption Warning",
      account: site.aws.accountId,
      region: REGION,
      time: "2020-01-01T00:00:00Z",
      detail: {},
    };
    const { sqs } = clients(site.aws, REGION);
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(event) }));
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "no JSON at all" }));
    await until(() => left() === 0, "both to be answered");
    expect(serving.log().filter(({ msg }) => msg === "message settled")).toMatchObject([
      { outcome: "ignored", signature: "none: no SNS envelope" },
      { outcome: "ignored", reason: "the message is no JSON object" },
    ]);
  });

  test("Auto Scaling's own events by a rule, without AWS Config", async () => {
    const site = await testSite();
    const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
    const { queueUrl } = created.json<{ queueUrl: string }>();
    expect((await site.aec(["events", "enable", "--yes"])).exit).toBe(0);
    const serving = await serve(site, ["--queue-url", queueUrl]);
    site.group("app-main-v003", 2);
    const settled = () => serving.log().filter(({ outcome }) => outcome === "applied");
    await until(() => settled().length === 2, "both launches to be applied");
    const cached = site.clouddriver.cache.get("auto-scaling-group", site.account, REGION, "app-main-v003");
    expect(cached?.instanceIds).toHaveLength(2);
    site.aws.inventory.remove("auto-scaling-group", REGION, "app-main-v003");
    await until(() => settled().length === 4, "both terminations to be applied");
  });

  test("what cannot be applied stays in the queue, and is applied when Clouddriver is back", async () => {
    const site = await testSite();
    const broken = { AEC_CLOUDDRIVER_URL: "http://127.0.0.1:1" };
    const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
    const { topicArn, queueUrl } = created.json<{ topicArn: string; queueUrl: string }>();
    site.aws.config.enable(REGION, topicArn);
    const first = await serve(site, ["--queue-url", queueUrl], { env: broken });
    site.group("app-main-v002", 1);
    await until(() => first.log().some(({ outcome }) => outcome === "failed"), "the first failure");
    await first.stop();
    const left = () => site.aws.sqs.queues.get(QUEUE)?.messages.length;
    expect(left()).toBe(1);
    await serve(site, ["--queue-url", queueUrl]);
    await until(() => left() === 0, "the message to be applied");
  });

  test("a failing message comes back later each time, and is not sent away", async () => {
    const site = await testSite();
    const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
    const { topicArn, queueUrl } = created.json<{ topicArn: string; queueUrl: string }>();
    site.aws.config.enable(REGION, topicArn);
    const broken = { AEC_CLOUDDRIVER_URL: "http://127.0.0.1:1" };
    const serving = await serve(site, ["--queue-url", queueUrl], { env: broken });
    site.group("app-main-v009", 1);
    const failures = () => serving.log().filter(({ outcome }) => outcome === "failed");
    await until(() => failures().length === 3, "three tries");
    const [first, second, third] = failures().map(({ time }) => Date.parse(String(time)));
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(30_000);
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(60_000);
    const attributes = site.aws.sqs.queues.get(QUEUE)?.attributes;
    expect(JSON.parse(attributes?.get("RedrivePolicy") ?? "{}").maxReceiveCount).toBe(1_000);
  });

  test("the work does not wait for a signing certificate that cannot be had", async () => {
    const site = await testSite();
    const fetchOf: typeof fetch = (input, init) =>
      String(input).endsWith(".pem") ? new Promise(() => {}) : fetch(input, init);
    const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
    const { topicArn, queueUrl } = created.json<{ topicArn: string; queueUrl: string }>();
    site.aws.config.enable(REGION, topicArn);
    await serve(site, ["--queue-url", queueUrl], { fetch: fetchOf });
    site.group("app-main-v010", 1);
    const cached = () => site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, "app-main-v010");
    await until(() => cached() !== undefined, "the group in the cache");
  });

  test("a queue that is not there: not ready; its Region is read from the URL", async () => {
    const site = await testSite({ regions: [REGION, "us-gov-west-1"] });
    const serving = await serve(site, ["--queue-url", `${site.aws.url}/012345678901/nowhere`]);
    const ready = async () => (await fetch(`${serving.admin}/readyz`)).status;
    await until(async () => (await ready()) === 503, "it to be told");
    const sqs = "https://sqs-fips.us-gov-west-1.amazonaws.com/012345678901/aec-default-events";
    const elsewhere = await serve(site, ["--queue-url", sqs]);
    expect(elsewhere.topics).toEqual(["arn:aws-us-gov:sns:us-gov-west-1:012345678901:aec-default"]);
  });

  test("listens nowhere unless told to; a URL that is none is refused", async () => {
    const site = await testSite();
    const { serving } = await queued(site);
    expect(serving.notify).toBeNull();
    const { exit, stderr } = await site.aec(["serve", "--queue-url", "https://example.com/queue"]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("is not the URL of a queue")]);
  });
});
