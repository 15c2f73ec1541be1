import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Covered } from "../../src/serve/holding/coverage.ts";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, type Serving, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const CLUSTER = `prod/${REGION}/ClusterCachingAgent`;
const DLQ = `arn:aws:sqs:${REGION}:012345678901:aec-default-dlq`;

const cached = (site: TestSite, name: string) =>
  site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, name);
const runsOf = (site: TestSite, agent: string) =>
  site.clouddriver.runs.filter((run) => run.agent === agent).length;
const status = async ({ admin }: Serving) => {
  const answer = await fetch(new URL("/status", admin), { headers: { authorization: "Bearer token" } });
  return (await answer.json()) as { held: number; events: Covered[] };
};

/** A stock site whose Auto Scaling tells of its instances through a rule; enough events have come to prove it. */
async function proven(mode: "events" | "agents" = "events", argv: readonly string[] = []) {
  const site = await testSite();
  const serving = await serve(site, ["--mode", mode, ...argv], { env: { AEC_SERVE_TOKEN: "token" } });
  const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"]);
  expect(created.exit, created.stderr).toBe(0);
  expect((await site.aec(["events", "enable", "--yes"])).exit).toBe(0);
  for (let index = 0; index < 6; index += 1) {
    site.group(`app-v00${index}`, 1);
    await until(() => cached(site, `app-v00${index}`) !== undefined, `app-v00${index}`);
    await site.clock.sleep(2_500);
  }
  const isProven = async () => (await status(serving)).events.some((one) => one.proven);
  await until(isProven, "the proof");
  return { site, serving };
}
const held = (site: TestSite, agent: string) => site.redis.keyspace.get(agent)?.startsWith("aec:") ?? false;

describe("serve --mode events", () => {
  test("what events prove to be fast is left to the floor, an event is as fast as ever, all else keeps its pace", async () => {
    const { site, serving } = await proven();
    expect((await status(serving)).events).toMatchObject([
      { account: "prod", region: REGION, type: "server-group", proven: true },
    ]);
    await until(() => held(site, CLUSTER), "the hold");
    const [cluster, subnets] = [
      runsOf(site, CLUSTER),
      runsOf(site, `prod/${REGION}/AmazonSubnetCachingAgent`),
    ];
    await site.clock.sleep(100_000);
    expect(runsOf(site, CLUSTER)).toBe(cluster);
    expect(runsOf(site, `prod/${REGION}/AmazonSubnetCachingAgent`)).toBeGreaterThanOrEqual(subnets + 2);

    const listed = await site.aec(["agents", "list", "-o", "json"], {
      env: { AEC_SERVE_URL: serving.admin, AEC_SERVE_TOKEN: "token" },
    });
    const reasons = new Map(
      listed
        .json<{ agents: { id: string; reason: string }[] }>()
        .agents.map(({ id, reason }) => [id, reason]),
    );
    expect(reasons.get(CLUSTER)).toMatch(/^aec serve: server-group: 95 of 100 events within \d/);
    expect(reasons.get(`prod/${REGION}/AmazonSubnetCachingAgent`)).toBe("subnet: 0 of 5 events seen");
    const before = site.clock.now();
    site.group("late-v001", 1);
    await until(() => cached(site, "late-v001") !== undefined, "the group although its agent is held");
    expect(site.clock.now() - before).toBeLessThan(10_000);
    await serving.stop();
    expect(held(site, CLUSTER)).toBe(false);
  });

  test("where events may be lost stock polling is back: a dead-letter queue that grows, heartbeats that fail", async () => {
    const { site, serving } = await proven("events", ["--heartbeat", "30s"]);
    await until(() => held(site, CLUSTER), "the hold");
    site.aws.sqs.sendFromTopic(DLQ, "{}", `arn:aws:sns:${REGION}:012345678901:aec-default`);
    await until(() => !held(site, CLUSTER), "its end");
    const said = (text: string) => serving.log().some(({ why }) => String(why).includes(text));
    expect(said(DLQ)).toBe(true);
    expect((await status(serving)).events).toEqual([]);
    site.aws.fault({ kind: "denied", action: "Publish" });
    await until(() => said("no heartbeat"), "the missing heartbeat to be told");
  });

  test("what Orca waits for runs at once, although its agent is held", async () => {
    const { site } = await proven();
    await until(() => held(site, CLUSTER), "the hold");
    const before = runsOf(site, CLUSTER);
    const started = site.clock.now();
    await fetch(`${site.clouddriver.url}/cache/aws/ServerGroup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ account: "prod", region: REGION, serverGroupName: "app-v001" }),
    });
    await until(() => runsOf(site, CLUSTER) > before, "the pass");
    expect(site.clock.now() - started).toBeLessThan(10_000);
  });

  test("Orca's refresh of a function runs its agent at once", async () => {
    const site = await testSite({ features: ["lambda"] });
    site.aws.inventory.put("function", REGION, { id: "orders-api", name: "orders-api", state: "1" });
    await serve(site, ["--mode", "events"]);
    const lambda = `prod/${REGION}/LambdaCachingAgent`;
    await until(() => runsOf(site, lambda) > 0, "its first pass");
    await site.clock.sleep(8_000);
    const before = runsOf(site, lambda);
    const started = site.clock.now();
    await fetch(`${site.clouddriver.url}/cache/aws/Function`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        account: "prod",
        credentials: "prod",
        region: REGION,
        functionName: "orders-api",
        appName: "orders",
      }),
    });
    await until(() => runsOf(site, lambda) > before, "the pass");
    expect(site.clock.now() - started).toBeLessThan(12_000);
  });

  test("--canary: the agents of other accounts are not held, and say why", async () => {
    const { site, serving } = await proven("events", ["--canary", "staging"]);
    await site.clock.sleep(20_000);
    expect(held(site, CLUSTER)).toBe(false);
    const answer = await fetch(new URL("/status", serving.admin), {
      headers: { authorization: "Bearer token" },
    });
    const { agents } = (await answer.json()) as { agents: { agent: string; reason: string }[] };
    expect(agents.find(({ agent }) => agent === CLUSTER)?.reason).toBe("its account is not among --canary");
  });

  test("--canary without mode events is refused", async () => {
    const site = await testSite();
    const { exit, stderr } = await site.aec(["serve", "--listen", "127.0.0.1:0", "--canary", "staging"]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("--canary is for mode events")]);
  });

  test("mode agents tells what would be left to the floor, and holds nothing", async () => {
    const { site, serving } = await proven("agents");
    await site.clock.sleep(20_000);
    expect((await status(serving)).events).toMatchObject([{ type: "server-group", proven: true }]);
    expect(held(site, CLUSTER)).toBe(false);
  });

  test.each([
    ["floor: 20m", "polling.floor: 20m is longer than 15m"],
    ['floors: [{ agents: "prod/**", floor: 1h }]', 'polling.floors of "prod/**": 1h is longer than 15m'],
    ["floor: 1s", "polling.floor: 1s is shorter than 30s"],
  ])("no floor is longer than 15 minutes, or no floor at all: %s", async (polling, problem) => {
    const site = await testSite();
    const home = temporaryDirectory();
    writeFileSync(
      join(home, "aec.yml"),
      `version: 1\nenvironments:\n  default:\n    polling: { mode: events, ${polling} }\n`,
    );
    const refused = await site.aec(["serve", "--listen", "127.0.0.1:0"], { home, cwd: home });
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining(problem)]);
  });

  test("needs a lock store", async () => {
    const site = await testSite();
    const refused = await site.aec(["serve", "--mode", "events", "--listen", "127.0.0.1:0"], {
      env: { AEC_LOCK_STORE: "" },
    });
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("mode events needs")]);
  });
});
