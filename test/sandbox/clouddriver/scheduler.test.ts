import { expect, test } from "vitest";
import { ACCOUNT, CLUSTER, group, REGION, world } from "./world.ts";

const NODE = "10.1.2.3:77@clouddriver";

test("takes the 21 locks of one account and Region, each the agent's name with the node as value", async () => {
  const { clock, keyspace } = await world({ node: NODE });
  await clock.advance(50);
  expect(keyspace.keys()).toHaveLength(21);
  expect(keyspace.keys().filter((key) => key.startsWith(`${ACCOUNT}/${REGION}/`))).toHaveLength(16);
  expect(keyspace.keys()).toContain("AmazonInstanceTypeCachingAgent/us-east-1");
  expect(new Set(keyspace.keys().map((key) => keyspace.get(key)))).toEqual(new Set([NODE]));
});

test("one account per Region runs the agents of the Region", async () => {
  const accounts = ["a", "b"].map((name) => ({
    name,
    accountId: "012345678901",
    regions: ["us-east-1", "eu-west-1"],
  }));
  const { clock, keyspace } = await world({ accounts });
  await clock.advance(50);
  expect(keyspace.keys()).toHaveLength(4 * 15 + 2 * 2 + 4);
  expect(
    keyspace
      .keys()
      .filter((key) => key.includes("InstanceType") || key.endsWith("public"))
      .sort(),
  ).toEqual([
    "AmazonInstanceTypeCachingAgent/eu-west-1",
    "AmazonInstanceTypeCachingAgent/us-east-1",
    "a/eu-west-1/ImageCachingAgent/public",
    "a/us-east-1/ImageCachingAgent/public",
  ]);
});

test("a lock lives for the timeout during a run, for interval minus run time after it, and every 31 s it is taken again", async () => {
  const { clock, keyspace, runsOf } = await world();
  await clock.advance(50);
  expect(keyspace.pttl(CLUSTER)).toBe(299_950);
  await clock.advance(200);
  expect(keyspace.pttl(CLUSTER)).toBe(29_770);
  await clock.advance(30_250);
  expect(keyspace.pttl(CLUSTER)).toBe(-2);
  await clock.advance(200_000);
  const starts = runsOf(CLUSTER).map(({ startedAt }) => startedAt);
  expect(starts.length).toBeGreaterThan(5);
  expect(new Set(starts.slice(1).map((start, at) => start - (starts[at] ?? 0)))).toEqual(new Set([31_000]));
});

test("agents with an interval of their own keep it", async () => {
  const { clock, runsOf } = await world();
  await clock.advance(1_300_000);
  const periods = [
    "AmazonElasticIpCachingAgent",
    "AmazonKeyPairCachingAgent",
    "ReservedInstancesCachingAgent",
  ].map((name) => {
    const [first, second] = runsOf(`${ACCOUNT}/${REGION}/${name}`);
    return (second?.startedAt ?? 0) - (first?.startedAt ?? 0);
  });
  expect(periods).toEqual([301_000, 301_000, 601_000]);
});

test("run now: an idle agent whose lock is deleted runs within a tick and shows in introspection", async () => {
  const { clock, keyspace, get, runsOf } = await world();
  await clock.advance(10_300);
  const asked = clock.now();
  keyspace.del(CLUSTER);
  await clock.advance(1_300);
  const run = runsOf(CLUSTER).at(-1);
  expect(run?.startedAt).toBeGreaterThan(asked);
  expect(run?.startedAt).toBeLessThan(asked + 1_050);
  const [newest] = (await get("/cache/introspection")).json as { id: string; lastExecutionStartMs: number }[];
  expect(newest).toMatchObject({ id: CLUSTER, lastExecutionStartMs: run?.startedAt });
});

test("a hold of 120 s on an idle agent keeps it from running, then the stock cadence is back", async () => {
  const { clock, keyspace, runsOf } = await world();
  await clock.advance(10_000);
  const expiry = clock.now() + 120_000;
  keyspace.set(CLUSTER, "aec:1", { px: 120_000 });
  await clock.advance(119_000);
  expect(runsOf(CLUSTER)).toHaveLength(1);
  await clock.advance(40_000);
  const [, first, second] = runsOf(CLUSTER).map(({ startedAt }) => startedAt);
  expect((first ?? 0) - expiry).toBeLessThan(1_050);
  expect((second ?? 0) - (first ?? 0)).toBe(31_000);
});

test("a hold set during a run survives its completion", async () => {
  const { clock, keyspace, runsOf } = await world({ runMs: 8_000 });
  await clock.advance(1_000);
  keyspace.set(CLUSTER, "aec:1", { px: 60_000 });
  await clock.advance(59_000);
  expect(keyspace.get(CLUSTER)).toBe("aec:1");
  expect(runsOf(CLUSTER)).toHaveLength(1);
  await clock.advance(12_000);
  expect(runsOf(CLUSTER)).toHaveLength(2);
});

test("the release of a hold lets the agent run within a tick", async () => {
  const { clock, keyspace, runsOf } = await world();
  await clock.advance(5_000);
  keyspace.set(CLUSTER, "aec:1", { px: 600_000 });
  await clock.advance(100_000);
  keyspace.del(CLUSTER);
  await clock.advance(1_200);
  expect(runsOf(CLUSTER)).toHaveLength(2);
});

test("PEXPIRE works on an idle lock and is lost during a run", async () => {
  const { clock, keyspace, runsOf } = await world({ runMs: 8_000 });
  await clock.advance(1_000);
  keyspace.pexpire(CLUSTER, 90_000);
  await clock.advance(9_000);
  expect(keyspace.pttl(CLUSTER)).toBeLessThanOrEqual(22_000);
  keyspace.pexpire(CLUSTER, 90_000);
  await clock.advance(85_000);
  expect(runsOf(CLUSTER)).toHaveLength(1);
});

test("a key deleted during a run means no overlap and one extra run right after", async () => {
  const { clock, keyspace, runsOf } = await world({ runMs: 8_000 });
  await clock.advance(1_000);
  keyspace.del(CLUSTER);
  await clock.advance(25_000);
  const [first, second, ...more] = runsOf(CLUSTER);
  expect(more).toEqual([]);
  expect((second?.startedAt ?? 0) - (first?.endedAt ?? 0)).toBeGreaterThan(0);
  expect((second?.startedAt ?? 0) - (first?.endedAt ?? 0)).toBeLessThan(1_050);
});

test("with all keys held AWS is not called", async () => {
  const { clock, keyspace, calls } = await world();
  await clock.advance(5_000);
  for (const key of keyspace.keys()) keyspace.set(key, "aec:1", { px: 120_000 });
  const before = calls();
  await clock.advance(70_000);
  expect(calls()).toBe(before);
});

test("when AWS answers 500: four calls, introspection unchanged, the error interval", async () => {
  const { clock, clouddriver, keyspace, inventory, get, runsOf } = await world({ errorIntervalMs: 10_000 });
  await clock.advance(5_000);
  const introspection = (await get("/cache/introspection")).json;
  clouddriver.failAws(/VpcCachingAgent$/);
  const agent = `${ACCOUNT}/${REGION}/AmazonVpcCachingAgent`;
  keyspace.del(agent);
  await clock.advance(1_200);
  expect(inventory.calls().get("clouddriver")?.get("ec2:DescribeVpcs")).toBe(1 + 4);
  expect(runsOf(agent).map(({ ok }) => ok)).toEqual([true, false]);
  expect((await get("/cache/introspection")).json).toEqual(introspection);
  expect(keyspace.pttl(agent)).toBeLessThanOrEqual(10_000);
  clouddriver.failAws(undefined);
  await clock.advance(11_000);
  expect(runsOf(agent).at(-1)?.ok).toBe(true);
});

test("introspection has 18 of the 21: no runnable agent, none that has not succeeded", async () => {
  const { clock, clouddriver, get } = await world();
  clouddriver.failAws(/ReservedInstances/);
  await clock.advance(5_000);
  const shown = (await get("/cache/introspection")).json as Record<string, unknown>[];
  expect(shown).toHaveLength(18);
  expect(
    shown.filter(({ id }) => String(id).startsWith("Cleanup") || String(id).includes("Reserved")),
  ).toEqual([]);
  expect(shown.find(({ id }) => id === CLUSTER)).toEqual({
    id: CLUSTER,
    provider: "com.netflix.spinnaker.clouddriver.aws.provider.AwsProvider",
    totalAdditions: 0,
    totalEvictions: 0,
    lastExecutionStartMs: Date.UTC(2026, 10, 20) + 20,
    lastExecutionDurationMs: 150,
    lastExecutionStartDate: "2026-11-20 00:00:00.020",
  });
});

test("a kill in the middle of a run leaves locks that block the next node until they end or are freed", async () => {
  const { clock, clouddriver, keyspace, inventory, start } = await world({ runMs: 8_000 });
  inventory.put("auto-scaling-group", REGION, group("app-main-v001"));
  await clock.advance(1_000);
  const dead = clouddriver.node;
  await clouddriver.kill();
  await expect(fetch(`${clouddriver.url}/health`)).rejects.toThrow();
  const next = await start({ node: NODE, runMs: 150 });
  await clock.advance(60_000);
  expect(next.runs).toEqual([]);
  expect(keyspace.get(CLUSTER)).toBe(dead);
  keyspace.del(CLUSTER);
  await clock.advance(1_200);
  expect(next.runs.map(({ agent }) => agent)).toEqual([CLUSTER]);
  await clock.advance(245_000);
  expect(new Set(next.runs.map(({ agent }) => agent)).size).toBeGreaterThanOrEqual(16);
});

test("a restart finds the cache again, but no introspection", async () => {
  const { clock, clouddriver, inventory, start } = await world();
  inventory.put("auto-scaling-group", REGION, group("app-main-v001"));
  await clock.advance(1_000);
  await clouddriver.close();
  const next = await start();
  expect(next.cache.get("auto-scaling-group", ACCOUNT, REGION, "app-main-v001")).toBeDefined();
  expect(await (await fetch(`${next.url}/cache/introspection`)).json()).toEqual([]);
});

test("a run reads AWS when it starts and becomes visible when it ends", async () => {
  const { clock, clouddriver, inventory, desired } = await world({ runMs: 4_000 });
  const seen: number[] = [];
  clouddriver.cache.onVisible(({ at }) => seen.push(at));
  inventory.put("auto-scaling-group", REGION, group("app-main-v001", 1));
  await clock.advance(1_000);
  inventory.put("auto-scaling-group", REGION, group("app-main-v001", 2));
  await clock.advance(2_000);
  expect(desired("app-main-v001")).toBeUndefined();
  await clock.advance(2_000);
  expect(desired("app-main-v001")).toBe(1);
  await clock.advance(35_000);
  expect(desired("app-main-v001")).toBe(2);
  // Passes that find nothing new make nothing visible.
  await clock.advance(62_000);
  expect(seen).toEqual([Date.UTC(2026, 10, 20) + 4_020, Date.UTC(2026, 10, 20) + 35_020]);
  expect(clouddriver.cache.changedAt("auto-scaling-group", ACCOUNT, REGION, "app-main-v001")).toBe(seen[1]);
});

test("two nodes on one keyspace share the work", async () => {
  const { clock, clouddriver, start } = await world();
  const other = await start();
  await clock.advance(300_000);
  const starts = [...clouddriver.runs, ...other.runs]
    .filter(({ agent }) => agent === CLUSTER)
    .map(({ startedAt }) => startedAt)
    .sort();
  expect(starts.slice(1).every((start, at) => start - (starts[at] ?? 0) >= 30_000)).toBe(true);
});

test("setInterval is taken up as runs end", async () => {
  const { clock, clouddriver, runsOf } = await world();
  await clock.advance(5_000);
  clouddriver.setInterval(120_000);
  await clock.advance(300_000);
  const starts = runsOf(CLUSTER).map(({ startedAt }) => startedAt);
  expect(starts.slice(1).map((start, at) => start - (starts[at] ?? 0))).toEqual([31_000, 121_000, 121_000]);
});

test("AWS calls of the measured inventory: 78 in a pass, 151 to 156 a minute", async () => {
  const { clock, clouddriver, inventory, keyspace, calls, get } = await world();
  const balancer = { vpcId: "vpc-1", scheme: "internal" };
  for (let i = 0; i < 50; i++) inventory.put("auto-scaling-group", REGION, group(`app-s${i}-v001`));
  for (let i = 0; i < 10; i++)
    inventory.put("load-balancer", REGION, { ...balancer, name: `alb${i}`, type: "application" });
  for (let i = 0; i < 5; i++)
    inventory.put("load-balancer", REGION, { ...balancer, name: `elb${i}`, type: "classic" });
  await clock.advance(0);
  // The first pass read an empty inventory; what follows is a full one.
  await clock.advance(1_000);
  const own = /ElasticIp|KeyPair|Reserved|Cleanup|public$/;
  const due = ((await get("/cache/introspection")).json as { id: string }[]).map(({ id }) => id);
  const before = calls();
  for (const id of due.filter((id) => !own.test(id))) keyspace.del(id);
  await clock.advance(1_200);
  expect(calls() - before).toBe(78);
  const elb = (action: string) => inventory.calls().get("clouddriver")?.get(`elasticloadbalancing:${action}`);
  expect(elb("DescribeRules")).toBe(
    10 * clouddriver.runs.filter(({ agent }) => agent.includes("Application")).length,
  );
  await clock.advance(31_000);
  const minute = calls();
  await clock.advance(31 * 60_000);
  expect((calls() - minute) / 31).toBeGreaterThan(150);
  expect((calls() - minute) / 31).toBeLessThan(156);
});
