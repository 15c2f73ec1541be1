import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aec } from "../helpers/aec.ts";
import { type AwsProxy, startAwsProxy } from "./clouddriver/aws-proxy.ts";
import { type Engine, startEngine } from "./clouddriver/engine.ts";
import { startMoto } from "./clouddriver/moto.ts";
import { type Redis as RedisServer, startRedis } from "./clouddriver/redis.ts";
import { motoInventory } from "./moto-inventory.ts";

const REGION = "us-east-1";
const AGENT = `default/${REGION}/ClusterCachingAgent`;
/** How long AWS takes for the list that begins each pass. */
const RUN_MS = 2_500;
const scope = ["--account", "default", "--region", REGION, "--type", "server-group", "-o", "json"];

interface Refreshed {
  items: { verdict: string; detail: string }[];
}

/** Two caching nodes that share one Redis, as in any highly available Spinnaker. */
describe("two Clouddriver nodes on one Redis", () => {
  let redisServer: RedisServer;
  let redis: Redis;
  let proxy: AwsProxy;
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let nodes: Engine[] = [];
  let inventory: ReturnType<typeof motoInventory>;

  beforeAll(async () => {
    [redisServer, moto] = await Promise.all([startRedis(), startMoto()]);
    proxy = await startAwsProxy({ motoPort: moto.port });
    inventory = motoInventory(moto.url, REGION);
    await inventory.createLaunchTemplate();
    await inventory.group("nodes-main-v001", 1);
    const options = { redisUrl: redisServer.url, proxyPort: proxy.port, regions: [REGION] };
    // The second node may have run nothing for a long time: the first has taken all.
    const first = await startEngine(options);
    nodes = [first, await startEngine({ ...options, waitForAgents: [] })];
    redis = new Redis(redisServer.url);
    redis.on("error", () => {});
    proxy.rule(({ action, params }) =>
      action === "DescribeAutoScalingGroups" && !named(params) ? { delayMs: RUN_MS } : undefined,
    );
  }, 300_000);
  afterAll(async () => {
    redis?.disconnect();
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all([proxy?.close(), redisServer?.stop(), moto?.stop()]);
  });

  const named = (params: Readonly<Record<string, string>>) =>
    Object.keys(params).some((name) => name.startsWith("AutoScalingGroupNames"));
  const run = (argv: string[] = []) =>
    aec(["refresh", ...scope, ...argv], {
      env: {
        AEC_CLOUDDRIVER_URL: nodes.map(({ url }) => `caching=${url}`).join(","),
        AEC_LOCK_STORE: redisServer.url,
      },
    });
  const ownLocks = async () => (await redis.keys("*")).filter((key) => key.startsWith("aec"));

  test("refreshes at any moment, several at once: no pass ever begins beside another", async () => {
    proxy.reset();
    const outcomes = [];
    for (let round = 0; round < 8; round += 1) {
      outcomes.push(...(await Promise.all([run(), run(), run()])));
      await new Promise((resolve) => setTimeout(resolve, (round * 700) % 3_000));
    }
    for (const { exit, stdout } of outcomes) expect(exit, stdout).toBe(0);
    const passes = proxy
      .calls()
      .filter(({ action, params }) => action === "DescribeAutoScalingGroups" && !named(params))
      .map(({ at }) => at);
    expect(passes.length).toBeGreaterThanOrEqual(8);
    const gaps = passes.slice(1).map((at, index) => at - (passes[index] ?? 0));
    expect(Math.min(...gaps), JSON.stringify(gaps)).toBeGreaterThanOrEqual(RUN_MS);
    expect(await ownLocks()).toEqual([]);
  });

  test("a run that is going on is waited for, and another one follows it", async () => {
    const first = run();
    // Until AWS is asked: from then on the first run is under way.
    const before = proxy.calls().length;
    while (
      !proxy
        .calls()
        .slice(before)
        .some(({ action }) => action === "DescribeAutoScalingGroups")
    )
      await new Promise((resolve) => setTimeout(resolve, 50));
    await inventory.group("nodes-main-v002", 1);
    const { exit, json } = await run();
    expect(exit).toBe(0);
    expect(json<Refreshed>().items[0]?.detail).toMatch(/[12] new|2 cached/);
    expect((await first).exit).toBe(0);
  });

  test("Redis restarted in the middle: an error or a proof, never a bug, and nothing is left behind", async () => {
    const going = run();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await redisServer.restart();
    const { exit, stdout } = await going;
    expect([0, 1, 8], stdout).toContain(exit);
    expect(stdout).not.toContain('"bug"');
    // Both nodes find the empty Redis again, and so does the next command.
    const end = Date.now() + 90_000;
    let after = await run();
    while (after.exit !== 0 && Date.now() < end) after = await run();
    expect(after.exit, after.stdout).toBe(0);
    expect(await ownLocks()).toEqual([]);
  });

  test("a node killed in the middle of a run: told as busy, its lock is left alone", async () => {
    let holder: string | null = null;
    let life = 0;
    const going = run(["--timeout", "60s"]);
    while (life < 290_000) {
      [holder, life] = await Promise.all([redis.get(AGENT), redis.pttl(AGENT)]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const dead = nodes.find(({ pid }) => holder?.includes(`:${pid}@`));
    expect(dead, holder ?? "").toBeDefined();
    await dead?.kill();
    nodes = nodes.filter((node) => node !== dead);
    expect((await going).exit).toBe(8);
    const { exit, json } = await run(["--timeout", "10s"]);
    expect(exit).toBe(8);
    expect(json<Refreshed>().items[0]).toMatchObject({
      verdict: "stale",
      detail: expect.stringContaining("still busy with an earlier run"),
    });
    expect(await redis.get(AGENT)).toBe(holder);
    expect(await ownLocks()).toEqual([]);
  });
});
