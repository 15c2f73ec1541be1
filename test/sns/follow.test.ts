import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { REGION, serve, type TestSite, testSite } from "../helpers/site.ts";

const TOPIC = `arn:aws:sns:${REGION}:012345678901:aec-default`;
const QUEUE = `arn:aws:sqs:${REGION}:012345678901:aec-default-events`;
const DLQ = `arn:aws:sqs:${REGION}:012345678901:aec-default-dlq`;
const TOKEN = { AEC_SERVE_TOKEN: "token" };

interface Tested {
  failed: string | null;
  steps: { name: string; ok: boolean; afterMs?: number; detail?: string }[];
}

describe("sns test", () => {
  const follow = (site: TestSite, admin: string, ...argv: string[]) =>
    site.aec(["sns", "test", "--serve-url", admin, "-o", "json", ...argv], { env: TOKEN });

  test("over HTTP: published, received, verified, decided, each with its time", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: TOKEN });
    await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"]);
    const { exit, json, stdout } = await follow(site, serving.admin);
    expect(exit, stdout).toBe(0);
    const { steps, failed } = json<Tested>();
    expect(failed).toBeNull();
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ["subscribed", true],
      ["published", true],
      ["received", true],
      ["verified", true],
      ["decided", true],
    ]);
    expect(steps.slice(1).every(({ afterMs }) => typeof afterMs === "number")).toBe(true);
    expect(steps[3]?.detail).toBe("signature valid");
    const text = await site.aec(["sns", "test", "--serve-url", serving.admin], { env: TOKEN });
    expect(text.stdout).toMatch(/decided +ok after .*test message/);
  });

  test("over SQS too", async () => {
    const site = await testSite();
    const created = await site.aec(["sns", "create", "--protocol", "sqs", "--filter", "--yes", "-o", "json"]);
    const { queueUrl } = created.json<{ queueUrl: string }>();
    const serving = await serve(site, ["--queue-url", queueUrl], { env: TOKEN });
    expect((await follow(site, serving.admin)).json<Tested>().failed).toBeNull();
  });

  test("a serve that is meant for another topic refuses it: the step is named", async () => {
    const site = await testSite();
    const other = await serve(site, ["--topic-arn", TOPIC.replace("default", "other")], { env: TOKEN });
    const right = await serve(site, [], { env: TOKEN });
    await site.aec(["sns", "create", "--endpoint", right.notify, "--yes"]);
    // The wrong one stands behind the endpoint now.
    for (const subscription of site.aws.sns.subscriptions.values()) {
      Object.assign(subscription, { endpoint: other.notify });
    }
    const { exit, json } = await follow(site, other.admin);
    const { failed, steps } = json<Tested>();
    expect([exit, failed]).toEqual([1, "verified"]);
    expect(steps.at(-1)?.detail).toContain("is not allowed");
  });

  test("nobody confirmed, no topic, and a message that never comes", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: TOKEN });
    const missing = await follow(site, serving.admin);
    expect([missing.exit, missing.json<Tested>().failed]).toEqual([1, "subscribed"]);
    await site.aec(["sns", "create", "--endpoint", "http://127.0.0.1:9/x", "--no-wait", "--yes"]);
    expect((await follow(site, serving.admin)).json<Tested>().steps[0]?.detail).toContain(
      "nobody has confirmed",
    );
    for (const subscription of site.aws.sns.subscriptions.values()) subscription.confirmed = true;
    const lost = await follow(site, serving.admin, "--timeout", "5s");
    expect([lost.exit, lost.json<Tested>().failed]).toEqual([8, "received"]);
  });

  test("without --serve-url it says that nothing was followed; wrong addresses and tokens are told", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: TOKEN });
    await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"]);
    const alone = await site.aec(["sns", "test"]);
    expect([alone.exit, alone.stdout]).toEqual([0, expect.stringContaining("--serve-url")]);
    const argv = (url: string) => ["sns", "test", "--serve-url", url, "-o", "json"];
    const denied = await site.aec(argv(serving.admin), { env: { AEC_SERVE_TOKEN: "wrong" } });
    expect([denied.exit, denied.json()]).toMatchObject([4, { error: { code: "serve-denied" } }]);
    const gone = await site.aec(argv("http://127.0.0.1:1"), { env: TOKEN });
    expect(gone.json()).toMatchObject({ error: { code: "serve-unreachable" } });
    expect((await site.aec(argv("serve"), { env: TOKEN })).exit).toBe(2);
    const html = createServer((_, response) => response.end("<html>"));
    await new Promise<void>((resolve) => html.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void html.close());
    const other = await site.aec(argv(`http://127.0.0.1:${(html.address() as AddressInfo).port}`));
    expect(other.json()).toMatchObject({ error: { code: "not-serve" } });
  });
});

describe("sns redrive", () => {
  /** A dead-letter queue with a signed notification of a new group, and one that asks for nothing. */
  async function undelivered() {
    const site = await testSite();
    const { topicArn } = (
      await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"])
    ).json<{ topicArn: string }>();
    site.aws.config.enable(REGION, topicArn);
    site.group("app-main-v007", 1);
    site.aws.sns.publish({ topicArn, message: "hello" });
    const queue = site.aws.sqs.queues.get(QUEUE);
    for (const { body } of queue?.messages ?? []) site.aws.sqs.sendFromTopic(DLQ, body, topicArn);
    if (queue) queue.messages = [];
    return { site, left: () => site.aws.sqs.queues.get(DLQ)?.messages.length };
  }
  const redrive = (site: TestSite, ...argv: string[]) => site.aec(["sns", "redrive", "-o", "json", ...argv]);

  test("applies by the code of serve, deletes what is settled, and finds nothing the second time", async () => {
    const { site, left } = await undelivered();
    expect((await redrive(site, "--dry-run", "--exit-code")).exit).toBe(3);
    expect(left()).toBe(2);
    const { exit, json, stderr } = await redrive(site, "--yes");
    expect(exit, stderr).toBe(0);
    const { messages } = json<{ messages: { outcome: string }[] }>();
    expect(messages.map(({ outcome }) => outcome).toSorted()).toEqual(["applied", "ignored"]);
    expect(
      site.clouddriver.cache.get("auto-scaling-group", site.account, REGION, "app-main-v007"),
    ).toBeDefined();
    expect(left()).toBe(0);
    const again = await site.aec(["sns", "redrive", "--yes"]);
    expect([again.exit, again.stdout]).toEqual([0, "No message waits.\n"]);
  });

  test("one that always fails does not keep the others: all are tried, and it is there again", async () => {
    const { site } = await undelivered();
    const queue = site.aws.sqs.queues.get(DLQ);
    const item = {
      resourceType: "AWS::EC2::SecurityGroup",
      resourceId: "sg-1",
      awsAccountId: "012345678901",
    };
    const lost = { ...item, awsRegion: REGION, configurationItemStatus: "OK" };
    site.clouddriver.failAws(/SecurityGroup/);
    const envelope = { messageType: "ConfigurationItemChangeNotification", configurationItem: lost };
    site.aws.sqs.sendFromTopic(DLQ, JSON.stringify(envelope), TOPIC);
    for (let index = 0; index < 25; index += 1) site.aws.sqs.sendFromTopic(DLQ, `{"n":${index}}`, TOPIC);
    queue?.messages.reverse();
    const { exit, json } = await redrive(site, "--yes", "--timeout", "20s");
    expect(exit).toBe(5);
    const outcomes = json<{ messages: { outcome: string }[] }>().messages.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === "failed")).toHaveLength(1);
    expect(outcomes).toHaveLength(28);
    expect(queue?.messages.map(({ visibleAt }) => visibleAt <= site.clock.now())).toEqual([true]);
  });

  test("what cannot be applied stays: exit 5, and nothing is lost", async () => {
    const { site, left } = await undelivered();
    const { exit, json } = await site.aec(["sns", "redrive", "--yes", "-o", "json"], {
      env: { AEC_CLOUDDRIVER_URL: "http://127.0.0.1:1" },
    });
    expect(exit).toBe(5);
    expect(json<{ messages: object[] }>().messages).toHaveLength(2);
    expect(left()).toBe(1);
    expect((await redrive(site, "--yes")).exit).toBe(0);
    expect(left()).toBe(0);
  });
});
