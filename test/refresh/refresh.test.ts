import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { aec } from "../helpers/aec.ts";
import { REGION, testSite, until } from "../helpers/site.ts";

interface Refreshed {
  items: {
    type: string;
    region: string;
    name: string;
    via: string;
    verdict: string;
    detail: string;
    durationMs: number;
  }[];
  summary: Record<string, number>;
}
/** What every account of the sandbox has. */
const KINDS = [
  "certificate",
  "elastic-ip",
  "image",
  "instance",
  "key-pair",
  "launch-template",
  "load-balancer",
  "security-group",
  "server-group",
  "subnet",
  "target-group",
  "vpc",
];
const ALONE = { env: { AEC_LOCK_STORE: "" } };
const named = (...names: string[]) => [
  "refresh",
  ...names,
  "--account",
  "prod",
  "--region",
  REGION,
  "-o",
  "json",
];

describe("by agent runs", () => {
  test("--account alone: every Region and kind, one run per agent, far sooner than their next pass", async () => {
    const site = await testSite({ regions: [REGION, "eu-west-1"] });
    await until(() => site.clouddriver.runs.length >= 30, "both Regions");
    site.group("app-v001", 1);
    const before = site.clouddriver.runs.length;
    const { exit, json } = await site.aec(["refresh", "--account", "prod", "-o", "json"]);
    const { items, summary } = json<Refreshed>();
    expect(exit).toBe(0);
    expect(items.map(({ region, type }) => `${region} ${type}`).sort()).toEqual(
      ["eu-west-1", REGION].flatMap((region) => KINDS.map((kind) => `${region} ${kind}`)),
    );
    expect(summary).toEqual({ refreshed: 2 * KINDS.length });
    expect(items.find(({ region, type }) => region === REGION && type === "server-group")).toMatchObject({
      name: "*",
      via: "agents",
      detail: "1 cached, 1 new, 0 gone",
    });
    const ran = site.clouddriver.runs.slice(before).map(({ agent }) => agent);
    expect(ran.filter((agent) => agent === `prod/${REGION}/ClusterCachingAgent`)).toHaveLength(1);
  });

  test("names: refreshed, unchanged, evicted; one run serves all of an agent", async () => {
    const site = await testSite();
    for (const name of ["app-v001", "app-v002", "app-v003"]) site.group(name, 1);
    await site.aec(named());
    site.group("app-v001", 3);
    site.aws.inventory.remove("auto-scaling-group", REGION, "app-v003");
    const { exit, json } = await site.aec(named("app-v001", "app-v002", "app-v003"));
    expect(exit).toBe(0);
    expect(json<Refreshed>().items.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["app-v001", "refreshed"],
      ["app-v002", "unchanged"],
      ["app-v003", "evicted"],
    ]);
  });

  test("a name that exists nowhere is told apart, with the near miss", async () => {
    const site = await testSite();
    site.group("shop-v012", 1);
    const { exit, json, stderr } = await site.aec(named("shop-v112"));
    expect(exit).toBe(1);
    expect(json<Refreshed>().items[0]?.verdict).toBe("not-handled");
    expect(stderr).toContain('did you mean "shop-v012"?');
  });

  test("some of it: exit 5", async () => {
    const site = await testSite();
    site.group("shop-v012", 1);
    expect((await site.aec(named("shop-v012", "nothing-v000"))).exit).toBe(5);
  });

  test("a run that AWS fails is failed, not refreshed", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    site.clouddriver.failAws(/ClusterCachingAgent/);
    const { exit, json } = await site.aec(named("app-v001"));
    expect(exit).toBe(1);
    expect(json<Refreshed>().items[0]).toMatchObject({
      verdict: "failed",
      detail: expect.stringContaining("without success"),
    });
  });

  test("an agent that a dead node's lock blocks is stale at the time-out: exit 8", async () => {
    const site = await testSite();
    // A node that died in the middle of a run leaves its lock behind for the rest of the timeout.
    const agent = `prod/${REGION}/ClusterCachingAgent`;
    await site.clock.sleep(15_000);
    site.redis.keyspace.set(agent, "192.0.2.9:1@dead", { px: 300_000 });
    const outcome = await site.aec([...named("app-v001"), "--timeout", "10s"]);
    expect(outcome.exit).toBe(8);
    expect(outcome.json<Refreshed>().items[0]).toMatchObject({ verdict: "stale" });
  });

  test("never starts a run beside one that is going on", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const agent = `prod/${REGION}/ClusterCachingAgent`;
    await Promise.all(Array.from({ length: 4 }, () => site.aec(named("app-v001"))));
    const runs = site.clouddriver.runs.filter((run) => run.agent === agent);
    runs.slice(1).forEach((run, index) => {
      expect(run.startedAt).toBeGreaterThanOrEqual(runs[index]?.endedAt ?? 0);
    });
  });

  test("a table for people", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const { stdout, stderr } = await site.aec(named("app-v001").slice(0, -2));
    expect(stdout).toMatch(/^VERDICT +TYPE +ACCOUNT +REGION +NAME/);
    expect(stdout).toMatch(/refreshed +server group +prod +us-east-1 +app-v001 +agents/);
    expect(stderr).toContain("refreshing server group app-v001 in prod/us-east-1 by running their agents");
  });
});

describe("without a lock store", () => {
  test("a call for a group would hide another one: the next pass is waited for", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const { items } = (await site.aec(named("app-v001"), ALONE)).json<Refreshed>();
    expect(items[0]).toMatchObject({ via: "pass", verdict: "refreshed" });
  });

  test("several that are called for by wish: each is there in the end, though a later call hid it", async () => {
    const site = await testSite();
    for (const name of ["app-v001", "app-v002", "app-v003"]) site.group(name, 1);
    const argv = [...named("app-v001", "app-v002", "app-v003"), "--via", "clouddriver"];
    const { items } = (await site.aec(argv)).json<Refreshed>();
    expect(items.map(({ verdict }) => verdict)).toEqual(["refreshed", "refreshed", "refreshed"]);
    for (const { name } of items)
      expect(site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, name), name).toBeDefined();
  });

  test("an old record of somebody's call is waited out: two passes", async () => {
    const site = await testSite();
    site.group("app-v001", 3);
    await site.aec(named());
    const body = JSON.stringify({ account: "prod", region: REGION, serverGroupName: "app-v001" });
    await fetch(`${site.clouddriver.url}/cache/aws/ServerGroup`, { method: "POST", body });
    site.group("app-v001", 1);
    const { items } = (await site.aec(named("app-v001"), ALONE)).json<Refreshed>();
    expect(items[0]).toMatchObject({ via: "pass", verdict: "refreshed" });
    expect(site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, "app-v001")?.desired).toBe(1);
  });

  test("one that may not be read fails alone; all of them: exit 4", async () => {
    const site = await testSite();
    for (const name of ["app-v001", "secret-v001"]) site.group(name, 1);
    const guarded: typeof fetch = async (input, init) =>
      String(input).includes("/secret-")
        ? Response.json({ error: "Forbidden" }, { status: 403 })
        : fetch(input, init);
    const some = await site.aec(named("app-v001", "secret-v001"), { fetch: guarded });
    expect(some.exit).toBe(5);
    expect(some.json<Refreshed>().items).toMatchObject([
      { verdict: "refreshed" },
      { verdict: "failed", error: "clouddriver-denied" },
    ]);
    expect((await site.aec(named("secret-v001"), { fetch: guarded })).exit).toBe(4);
  });

  test("an existing group waits for the next pass, and is proven", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    await site.aec(named());
    site.group("app-v001", 2);
    const { items } = (await site.aec(named("app-v001"), ALONE)).json<Refreshed>();
    expect(items[0]).toMatchObject({ via: "pass", verdict: "refreshed" });
  });

  test("an application balancer that is gone stays after a call: its agent's pass is waited for", async () => {
    const site = await testSite();
    const balancer = { name: "shop", type: "application", vpcId: "vpc-1", scheme: "internal" } as const;
    site.aws.inventory.put("load-balancer", REGION, balancer);
    await site.aec(["refresh", "--account", "prod"]);
    site.aws.inventory.remove("load-balancer", REGION, "shop");
    const { items } = (
      await site.aec([...named("shop"), "--type", "load-balancer"], ALONE)
    ).json<Refreshed>();
    expect(items[0]).toMatchObject({ verdict: "evicted" });
  });

  test("an answer that names nothing, with nothing changed, is not handled", async () => {
    const site = await testSite();
    const { exit, json } = await site.aec([...named("sg-1"), "--type", "security-group"], ALONE);
    expect(exit).toBe(1);
    expect(json<Refreshed>().items[0]).toMatchObject({ verdict: "not-handled" });
  });

  test("--via clouddriver posts whatever it hides", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const { items } = (await site.aec([...named("app-v001"), "--via", "clouddriver"])).json<Refreshed>();
    expect(items[0]).toMatchObject({ via: "clouddriver", verdict: "refreshed" });
  });

  test("everything of an account: security groups are done, the rest is named as not done", async () => {
    const site = await testSite();
    site.aws.inventory.put("security-group", REGION, { id: "sg-1", name: "web", vpcId: "vpc-1", rules: [] });
    const { exit, json } = await site.aec(["refresh", "--account", "prod", "-o", "json"], ALONE);
    expect(exit).toBe(5);
    const { items } = json<Refreshed>();
    expect(items.map(({ type }) => type).toSorted()).toEqual(KINDS);
    expect(
      items.filter(({ verdict }) => verdict !== "not-handled").map(({ type, verdict }) => [type, verdict]),
    ).toEqual([["security-group", "refreshed"]]);
  });
});

describe("wrong use", () => {
  test.each([
    [["refresh"], 2, /add --account, one of prod/],
    [["refresh", "--account", "prd"], 2, /did you mean "prod"/],
    [["refresh", "--account", "prod", "--region", "us-east-2"], 2, /did you mean "us-east-1"/],
    [["refresh", "--account", "prod", "--type", "server-groups"], 2, /Allowed choices are server-group/],
    [
      ["refresh", "--account", "prod", "--via", "agents", "--lock-store", "http://x"],
      2,
      /not the URL of a lock store/,
    ],
    [["refresh", "--account", "prod", "--lock-store", "redis://127.0.0.1:1"], 1, /lock store .* failed/],
    [
      ["refresh", "--account", "prod", "--clouddriver-url", "http://127.0.0.1:1"],
      1,
      /cannot be reached at http:\/\/127/,
    ],
    [["refresh", "--account", "prod", "--clouddriver-url", "clouddriver"], 2, /not the URL of a Clouddriver/],
  ])("%j", async (argv, exit, reason) => {
    const site = await testSite();
    const outcome = await site.aec(argv);
    expect(outcome.stderr).toMatch(reason);
    expect(outcome.exit).toBe(exit);
  });

  test("no Clouddriver is named", async () => {
    const { exit, stderr } = await aec(["refresh", "--account", "prod"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("--clouddriver-url");
  });

  test("a Redis that is not Clouddriver's", async () => {
    const site = await testSite();
    const other = await testSite();
    await other.clouddriver.close();
    for (const key of other.redis.keyspace.keys()) other.redis.keyspace.del(key);
    const { exit, json } = await site.aec(named("x"), { env: { AEC_LOCK_STORE: other.redis.url } });
    expect(exit).toBe(1);
    expect(json()).toMatchObject({
      error: { code: "lock-store-foreign", hint: expect.stringContaining("redis.connection") },
    });
  });

  test("a Redis of the sort scheduler, whose agents introspection does not show", async () => {
    const site = await testSite();
    const other = await testSite();
    await other.clouddriver.close();
    for (const key of other.redis.keyspace.keys()) other.redis.keyspace.del(key);
    other.redis.keyspace.set("WAITZ", "agents", {});
    const silent: typeof fetch = (input, init) =>
      String(input).endsWith("/introspection") ? Promise.resolve(Response.json([])) : fetch(input, init);
    const env = { AEC_LOCK_STORE: other.redis.url };
    const { exit, json } = await site.aec(named("x"), { env, fetch: silent });
    expect([exit, json()]).toMatchObject([1, { error: { code: "scheduler-unsupported" } }]);
  });

  test.each([
    ["html", 1, /did not answer JSON/],
    ["error", 1, /with 500/],
  ] as const)("a Clouddriver that answers %s", async (answer, exit, reason) => {
    const site = await testSite();
    site.clouddriver.fault({ answer });
    const outcome = await site.aec(["refresh", "--account", "prod"]);
    expect(outcome.stderr).toMatch(reason);
    expect(outcome.exit).toBe(exit);
  });

  test("a Clouddriver that hangs: exit 8 after --timeout", async () => {
    const site = await testSite();
    site.clouddriver.fault({ answer: "hang" });
    const { exit, stderr } = await site.aec(["refresh", "--account", "prod", "--timeout", "200ms"]);
    expect(stderr).toContain("did not answer GET");
    expect(exit).toBe(8);
  });

  test("a login page that redirects is no Clouddriver", async () => {
    const server = createServer((_, response) => response.writeHead(302, { location: "/login" }).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { exit, stderr } = await aec(["refresh", "--account", "prod", "--clouddriver-url", url]);
    expect(exit).toBe(1);
    expect(stderr).toContain("not Gate, Deck or a login page");
  });

  test("Ctrl-C is exit 130 and leaves no lock behind", async () => {
    const site = await testSite();
    const interrupt = new AbortController();
    const locks = new Set(site.redis.keyspace.keys());
    const running = site.aec(named("app-v001"), { signal: interrupt.signal });
    setTimeout(() => interrupt.abort(), 30);
    expect((await running).exit).toBe(130);
    expect([...site.redis.keyspace.keys()].filter((key) => !locks.has(key))).toEqual([]);
  });

  test("-v shows each request with its duration and no password", async () => {
    const site = await testSite();
    const { stderr } = await site.aec([...named(), "-v"]);
    expect(stderr).toMatch(/GET http:\/\/127\.0\.0\.1:\d+\/credentials\?expand=true → 200 \(\d/);
  });
});
