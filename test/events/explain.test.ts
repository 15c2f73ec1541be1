import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Explanation } from "../../src/commands/event/explain.ts";
import { capturedMessages } from "../../src/events/captured.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { REGION, testSite, until } from "../helpers/site.ts";

const GROUP = "AWS::AutoScaling::AutoScalingGroup";
const item = (name: string) => ({
  messageType: "ConfigurationItemChangeNotification",
  configurationItem: {
    resourceType: GROUP,
    resourceName: name,
    awsAccountId: "012345678901",
    awsRegion: REGION,
    configurationItemStatus: "OK",
    configurationItemCaptureTime: "2026-11-21T10:00:00.000Z",
    configuration: { desiredCapacity: 3 },
  },
});
const bodiesOf = (text: string) => capturedMessages(text).map(({ body }) => body);
const lines = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Explanation);
const explain = (input: string, ...argv: string[]) =>
  aec(["event", "explain", "-", "-o", "json", ...argv], { input });

describe("aec event explain", () => {
  test.each(["garbage", "", "\u0000\u0001\ufffd", "3"])("%j is no message: exit 2", async (input) => {
    const { exit, stdout } = await explain(input);
    expect([exit, stdout]).toEqual([2, expect.stringContaining("there is no message in what was piped in")]);
  });

  test("one line per message, also without any Spinnaker: only the account stays unknown", async () => {
    const input = [item("shop-v001"), { source: "aws.health", "detail-type": "x" }].map((one) =>
      JSON.stringify(one),
    );
    const { exit, stdout } = await explain(input.join("\n"));
    expect(exit).toBe(0);
    const [change, other] = lines(stdout);
    expect(change).toMatchObject({
      verification: { result: "skipped" },
      event: {
        source: "config",
        type: GROUP,
        account: "012345678901",
        region: REGION,
        resource: "shop-v001",
        time: "2026-11-21T10:00:00.000Z",
      },
      decision: {
        outcome: "refresh",
        work: [{ account: null, agents: [`*/${REGION}/ClusterCachingAgent`] }],
      },
    });
    expect(other).toMatchObject({ event: null, decision: { outcome: "ignore", work: [] } });
  });

  test("with the accounts of aec.yml, or of a Clouddriver", async () => {
    const home = temporaryDirectory();
    const accounts = `[ { name: shop, awsAccountId: "012345678901", regions: [${REGION}] } ]`;
    writeFileSync(join(home, "aec.yml"), `version: 1\nenvironments:\n  prod:\n    accounts: ${accounts}\n`);
    writeFileSync(join(home, "message.json"), JSON.stringify(item("shop-v001")));
    const filed = await aec(["event", "explain", "message.json"], { home });
    expect(filed.stdout).toContain(`runs       shop/${REGION}/ClusterCachingAgent`);
    const site = await testSite();
    const live = await site.aec(["event", "explain", "-", "-o", "json"], {
      input: JSON.stringify(item("shop-v001")),
    });
    expect(lines(live.stdout)[0]?.decision.work).toMatchObject([{ account: "prod" }]);
  });

  test("the signature, where it is asked for; a changed message is rejected, and nothing is fetched otherwise", async () => {
    const site = await testSite();
    const topic = `arn:aws:sns:${REGION}:${site.aws.accountId}:aec-default`;
    const queue = ["sns", "create", "--protocol", "sqs", "--yes"];
    expect((await site.aec(queue)).exit).toBe(0);
    site.aws.config.enable(REGION, topic);
    site.group("shop-v001", 1);
    const bodies = () =>
      [...site.aws.sqs.queues.values()].flatMap(({ messages }) => messages.map(({ body }) => body));
    await until(() => bodies().length > 0, "the message in the queue");
    const [body = ""] = bodies();
    const received = JSON.stringify({ Messages: [{ MessageId: "1", Body: body }] });
    const fetched: string[] = [];
    const watching: typeof fetch = (input, init) => {
      fetched.push(String(input));
      return fetch(input, init);
    };
    const run = async (input: string, ...argv: string[]) => {
      const outcome = await site.aec(["event", "explain", "-", "-o", "json", ...argv], {
        input,
        fetch: watching,
        env: { AEC_CLOUDDRIVER_URL: "" },
      });
      return lines(outcome.stdout)[0];
    };
    expect(await run(received)).toMatchObject({
      verification: { result: "skipped" },
      event: { resource: "shop-v001" },
    });
    expect(fetched).toEqual([]);
    const checked = await run(received, "--verify-signature");
    expect(checked).toMatchObject({ verification: { result: "valid" }, decision: { outcome: "refresh" } });
    const forged = body.replaceAll("shop-v001", "evil-v001");
    const rejected = await run(forged, "--verify-signature");
    expect(rejected).toMatchObject({
      verification: { result: "invalid" },
      event: null,
      decision: { outcome: "reject" },
    });
  });

  test("what cannot be read is told, never a crash", async () => {
    expect((await explain(`{}\nhello`)).stdout).toContain("no JSON object");
    expect((await explain("")).exit).toBe(2);
    expect((await aec(["event", "explain", "none.json"])).exit).toBe(2);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        const { exit, stdout } = await explain(text);
        expect([0, 2]).toContain(exit);
        expect(stdout).not.toContain('"bug"');
      }),
      { numRuns: 100 },
    );
  });

  test("a line that is broken is told as such, and hides no other", () => {
    const good = JSON.stringify({ source: "aws.ec2" });
    const bodies = (text: string) => capturedMessages(text).map(({ body }) => body);
    expect(bodies(`${good}\ngarbage\n${good}\n`)).toEqual([good, "garbage", good]);
    expect(bodies(`${good}\n{"source": "aws`)).toEqual([good, '{"source": "aws']);
    const spread = JSON.stringify({ source: "aws.ec2", detail: { a: [1] } }, null, 2).slice(0, -2);
    expect(bodies(spread)).toEqual([spread]);
  });

  test("bodies come out of lists, lines, answers of queues and events of functions alike", () => {
    const bodies = fc.array(fc.record({ source: fc.string() }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(bodies, (documents) => {
        const texts = documents.map((one) => JSON.stringify(one));
        expect(bodiesOf(JSON.stringify(documents))).toEqual(texts);
        expect(bodiesOf(texts.join("\n"))).toEqual(texts);
        expect(bodiesOf(JSON.stringify({ Messages: texts.map((Body) => ({ Body })) }))).toEqual(texts);
        expect(bodiesOf(JSON.stringify({ Records: texts.map((body) => ({ body })) }))).toEqual(texts);
      }),
    );
  });
});
