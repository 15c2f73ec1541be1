import { beforeEach, expect, test } from "vitest";
import { ACCOUNT, group, REGION, world } from "./world.ts";

// The rows of real-clouddriver.md, "On-demand server groups, Redis cache" and below.
const [A, B, OLD] = ["app-a-v001", "app-b-v001", "app-old-v001"];
const EMPTY = { status: 200, json: { cachedIdentifiersByType: {} } };
const V2 = `${ACCOUNT}/${REGION}/AmazonApplicationLoadBalancerCachingAgent`;
const CLASSIC = `${ACCOUNT}/${REGION}/AmazonLoadBalancerCachingAgent`;

let w: Awaited<ReturnType<typeof world>>;
beforeEach(async () => {
  w = await world();
  w.inventory.put("auto-scaling-group", REGION, group(OLD));
  await w.clock.advance(1_000);
  await w.pass();
});
const put = (...names: string[]) => {
  for (const name of names) w.inventory.put("auto-scaling-group", REGION, group(name));
};

test("a new group: 202 with its ids, readable at once", async () => {
  put(A);
  const answer = await w.postGroup(A);
  expect(answer.status).toBe(202);
  expect(answer.json).toMatchObject({
    cachedIdentifiersByType: { serverGroups: [`aws:serverGroups:app-a:${ACCOUNT}:${REGION}:${A}`] },
  });
  expect(await w.read(A)).toBe(200);
});

test("the next new group hides the one before it", async () => {
  put(A, B);
  await w.postGroup(A);
  expect((await w.postGroup(B)).status).toBe(202);
  expect([await w.read(A), await w.read(B), await w.read(OLD)]).toEqual([404, 200, 200]);
});

test("groups known from a full pass hide each other as well, and groups never asked for stay", async () => {
  put(A, B);
  await w.pass();
  await w.postGroup(A);
  await w.postGroup(OLD);
  expect([await w.read(A), await w.read(B), await w.read(OLD)]).toEqual([404, 200, 200]);
  expect(await w.postGroup("never-there-v001")).toMatchObject(EMPTY);
  expect([await w.read(A), await w.read(B), await w.read(OLD)]).toEqual([404, 200, 404]);
  await w.pass();
  expect([await w.read(A), await w.read(B), await w.read(OLD)]).toEqual([200, 200, 200]);
});

test("a deleted group: 200, gone at once, and the one refreshed before it too", async () => {
  put(A, B);
  await w.pass();
  await w.postGroup(A);
  w.inventory.remove("auto-scaling-group", REGION, B);
  expect(await w.postGroup(B)).toMatchObject(EMPTY);
  expect([await w.read(A), await w.read(B)]).toEqual([404, 404]);
});

test.each([1, 2, 3])("%i full passes between two refreshes do not help", async (passes) => {
  put(A, B);
  await w.postGroup(A);
  for (let pass = 0; pass < passes; pass++) await w.pass();
  await w.postGroup(B);
  expect(await w.read(A)).toBe(404);
  await w.pass();
  expect(await w.read(A)).toBe(200);
});

test("hiding ends at the Region and the account", async () => {
  const accounts = ["one", "two"].map((name) => ({
    name,
    accountId: "012345678901",
    regions: [REGION, "eu-west-1"],
  }));
  const wide = await world({ accounts });
  for (const region of [REGION, "eu-west-1"]) wide.inventory.put("auto-scaling-group", region, group(A));
  for (const account of ["one", "two"])
    for (const region of [REGION, "eu-west-1"])
      expect((await wide.post("ServerGroup", { serverGroupName: A, account, region })).status).toBe(202);
  expect(wide.clouddriver.cache.all("auto-scaling-group")).toHaveLength(4);
});

test("what nobody handles is 200, empty, and free", async () => {
  const right = { serverGroupName: OLD, account: ACCOUNT, region: REGION };
  const before = w.calls();
  const answers = [
    await w.post("ServerGroup", { ...right, account: "other" }),
    await w.post("ServerGroup", { ...right, region: "mars-1" }),
    await w.post("Nonsense", right),
    await w.post("TargetGroup", right),
    await w.post("ServerGroup", right, "AWS"),
    await w.post("ServerGroup", { account: ACCOUNT, region: REGION }),
    await w.post("ServerGroup", {}),
    await w.post("SecurityGroup", { ...right, account: "other" }),
  ];
  for (const answer of answers) expect(answer).toMatchObject(EMPTY);
  expect(w.calls()).toBe(before);
});

test("the type is matched without its case", async () => {
  expect(
    (await w.post("servergroup", { serverGroupName: OLD, account: ACCOUNT, region: REGION })).status,
  ).toBe(202);
});

test("an unprocessed record wins over AWS in pass 1 and is gone in pass 2", async () => {
  w.inventory.put("auto-scaling-group", REGION, group(A, 3));
  await w.postGroup(A);
  const [fresh] = await w.pending();
  expect(fresh).toMatchObject({
    processedCount: 0,
    cacheTime: w.clock.now(),
    moniker: { app: "app", sequence: 1 },
  });
  expect(fresh).not.toHaveProperty("processedTime");
  w.inventory.put("auto-scaling-group", REGION, group(A, 1));
  await w.pass();
  expect(w.desired(A)).toBe(3);
  expect(await w.pending()).toMatchObject([{ processedCount: 1, processedTime: expect.any(Number) }]);
  await w.pass();
  expect(w.desired(A)).toBe(1);
  expect(await w.pending()).toEqual([]);
});

test("a pending record can be had by its id, and lives 10 minutes", async () => {
  const quiet = await world();
  quiet.inventory.put("auto-scaling-group", REGION, group(A));
  await quiet.postGroup(A);
  await quiet.clouddriver.kill();
  const next = await quiet.start({ accounts: [] });
  const ask = async (query = "") => (await fetch(`${next.url}/cache/aws/ServerGroup${query}`)).json();
  const id = `aws:serverGroups:app-a:${ACCOUNT}:${REGION}:${A}`;
  expect(await ask(`?id=${id}`)).toMatchObject([
    { id, details: { serverGroup: A, account: ACCOUNT, region: REGION } },
  ]);
  expect(await ask("?id=other")).toEqual([]);
  await quiet.clock.advance(601_000);
  expect(await ask()).toEqual([]);
});

test("security groups: one POST, one call, the whole account and Region right at once", async () => {
  const sg = (id: string, rules: string[] = []) => ({ id, name: `name-${id}`, vpcId: "vpc-1", rules });
  w.inventory.put("security-group", REGION, sg("sg-1"));
  w.inventory.put("security-group", REGION, sg("sg-2"));
  await w.pass(`${ACCOUNT}/${REGION}/AmazonSecurityGroupCachingAgent`);
  w.inventory.remove("security-group", REGION, "sg-1");
  w.inventory.put("security-group", REGION, sg("sg-2", ["10.0.0.0/8:443"]));
  w.inventory.put("security-group", REGION, sg("sg-3"));
  const before = w.calls();
  expect((await w.post("SecurityGroup", { account: ACCOUNT, region: REGION })).status).toBe(202);
  expect(w.calls() - before).toBe(1);
  const cached = w.clouddriver.cache
    .all("security-group")
    .map(({ resource }) => [resource.id, resource.rules.length]);
  expect(cached).toEqual([
    ["sg-2", 1],
    ["sg-3", 0],
  ]);
  expect((await w.get("/cache/aws/SecurityGroup")).json).toEqual([]);
});

test("application balancers: 202 and 7 calls with the type, nothing without it", async () => {
  const alb = { name: "alb", type: "application" as const, vpcId: "vpc-1", scheme: "internal" };
  w.inventory.put("load-balancer", REGION, alb);
  w.inventory.put("load-balancer", REGION, { ...alb, name: "other" });
  expect(await w.postBalancer("alb")).toMatchObject(EMPTY);
  expect(w.clouddriver.cache.all("load-balancer")).toEqual([]);
  const before = w.calls();
  const answer = await w.postBalancer("alb", { loadBalancerType: "application" });
  const id = `aws:loadBalancers:${ACCOUNT}:${REGION}:alb:vpc-1:application`;
  expect(answer).toMatchObject({ status: 202, json: { cachedIdentifiersByType: { loadBalancers: [id] } } });
  expect(w.calls() - before).toBe(7);
  await w.postBalancer("other", { loadBalancerType: "application" });
  expect(w.clouddriver.cache.all("load-balancer")).toHaveLength(2);
  const pending = (await w.get("/cache/aws/LoadBalancer")).json as object[];
  expect(pending).toHaveLength(2);
  expect(pending[0]).toMatchObject({ id });
  expect(pending[0]).not.toHaveProperty("processedCount");
});

test("a deleted application balancer stays until a full pass, or the eviction trick", async () => {
  const alb = { type: "application" as const, vpcId: "vpc-1", scheme: "internal" };
  for (const name of ["one", "two"]) w.inventory.put("load-balancer", REGION, { ...alb, name });
  await w.pass(V2);
  for (const name of ["one", "two"]) w.inventory.remove("load-balancer", REGION, name);
  expect(await w.postBalancer("one", { loadBalancerType: "application" })).toMatchObject(EMPTY);
  expect(w.clouddriver.cache.all("load-balancer")).toHaveLength(2);
  expect(await w.postBalancer("one", { vpcId: "vpc-1:application" })).toMatchObject(EMPTY);
  expect(w.clouddriver.cache.all("load-balancer").map(({ key }) => key)).toEqual(["two"]);
  await w.pass(V2);
  expect(w.clouddriver.cache.all("load-balancer")).toEqual([]);
});

test("a network balancer answers to the type application alone, and its record has the wrong type", async () => {
  w.inventory.put("load-balancer", REGION, {
    name: "nlb",
    type: "network",
    vpcId: "vpc-1",
    scheme: "internal",
  });
  expect(await w.postBalancer("nlb", { loadBalancerType: "network" })).toMatchObject(EMPTY);
  expect((await w.postBalancer("nlb", { loadBalancerType: "application" })).status).toBe(202);
  expect(w.clouddriver.cache.all("load-balancer")[0]?.id).toMatch(/:network$/);
  expect((await w.get("/cache/aws/LoadBalancer")).json).toMatchObject([
    { id: expect.stringMatching(/:application$/) },
  ]);
});

test("an existing classic balancer is never refreshed on demand, a deleted one is evicted", async () => {
  w.inventory.put("load-balancer", REGION, {
    name: "elb",
    type: "classic",
    vpcId: "vpc-1",
    scheme: "internal",
  });
  expect(await w.postBalancer("elb", { vpcId: "vpc-1" })).toMatchObject(EMPTY);
  expect(w.clouddriver.cache.all("load-balancer")).toEqual([]);
  await w.pass(CLASSIC);
  w.inventory.remove("load-balancer", REGION, "elb");
  expect(await w.postBalancer("elb")).toMatchObject(EMPTY);
  expect(w.clouddriver.cache.all("load-balancer")).toHaveLength(1);
  expect(await w.postBalancer("elb", { vpcId: "vpc-1" })).toMatchObject(EMPTY);
  expect(w.clouddriver.cache.all("load-balancer")).toEqual([]);
});

test("a balancer's record younger than a pass wins, an older one is dropped by it", async () => {
  const alb = { name: "alb", type: "application" as const, vpcId: "vpc-1", scheme: "internal" };
  w.inventory.put("load-balancer", REGION, alb);
  await w.postBalancer("alb", { loadBalancerType: "application" });
  await w.clock.advance(10);
  w.inventory.put("load-balancer", REGION, { ...alb, scheme: "internet-facing" });
  await w.pass(V2);
  expect(w.clouddriver.cache.get("load-balancer", ACCOUNT, REGION, "alb")?.scheme).toBe("internet-facing");
  expect((await w.get("/cache/aws/LoadBalancer")).json).toEqual([]);
});

test("a failing AWS is swallowed: 200, empty, nothing changed", async () => {
  put(A);
  w.clouddriver.failAws(/ClusterCachingAgent/);
  expect(await w.postGroup(A)).toMatchObject(EMPTY);
  expect([await w.read(A), await w.read(OLD)]).toEqual([404, 200]);
});
