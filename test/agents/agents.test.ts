import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { onlyReads, parseAgent } from "../../src/agents/catalog.ts";
import { deadNodes } from "../../src/agents/dead-nodes.ts";
import { matchesGlob } from "../../src/agents/pattern.ts";
import type { Sighting } from "../../src/agents/sighting.ts";
import { agentViews } from "../../src/agents/view.ts";
import { main } from "../../src/main.ts";
import { startClouddriver } from "../../src/sandbox/clouddriver/server.ts";
import { temporaryDirectory, testWorld } from "../helpers/aec.ts";
import { REGION, serve, type TestSite, testSite, until } from "../helpers/site.ts";

describe("names and patterns", () => {
  test.each([
    ["prod/us-east-1/ClusterCachingAgent", "prod", "us-east-1", "ClusterCachingAgent"],
    ["prod/us-east-1/ImageCachingAgent/private", "prod", "us-east-1", "ImageCachingAgent/private"],
    [
      "AmazonInstanceTypeCachingAgent/us-east-1",
      undefined,
      "us-east-1",
      "AmazonInstanceTypeCachingAgent/us-east-1",
    ],
    ["prod/IamRoleCachingAgent", "prod", undefined, "IamRoleCachingAgent"],
    ["aws/ClusterCleanupAgent", "aws", undefined, "ClusterCleanupAgent"],
    ["CleanupDetachedInstancesAgent", undefined, undefined, "CleanupDetachedInstancesAgent"],
  ])("%s", (id, account, region, kind) => {
    expect(parseAgent(id)).toEqual({ account, region, kind });
  });

  test("only what is known to read is run or held", () => {
    expect(onlyReads("prod/us-east-1/ImageCachingAgent/private")).toBe(true);
    for (const id of [
      "CleanupDetachedInstancesAgent",
      "aws/ClusterCleanupAgent",
      "a/b/constructor",
      "x/y/NewAgent",
    ])
      expect(onlyReads(id)).toBe(false);
  });

  test.each([
    ["prod/**", "prod/us-east-1/ImageCachingAgent/private", true],
    ["prod/*/ClusterCachingAgent", "prod/us-east-1/ClusterCachingAgent", true],
    ["prod/*", "prod/us-east-1/ClusterCachingAgent", false],
    ["*Agent", "CleanupAlarmsAgent", true],
    ["prod.us", "prodXus", false],
    ["**Agent/p?ivate", "prod/us-east-1/ImageCachingAgent/private", true],
    ["a?b", "a/b", false],
  ])("%s on %s: %s", (pattern, id, expected) => {
    expect(matchesGlob(pattern, id)).toBe(expected);
  });

  test("a pattern made to be slow is not", () => {
    const started = performance.now();
    expect(matchesGlob(`${"**?".repeat(150)}z`, `prod/us-east-1/${"ClusterCachingAgent".repeat(10)}`)).toBe(
      false,
    );
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("property: any text is a pattern, and matches itself where it has no wildcard", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll(/[*?\n]/g, "x");
        expect(matchesGlob(plain, plain)).toBe(true);
        expect(() => matchesGlob(text, plain)).not.toThrow();
      }),
    );
  });
});

describe("states", () => {
  const NOW = 1_800_000_000_000;
  const A = "prod/us-east-1/ClusterCachingAgent";
  const B = "prod/us-east-1/InstanceCachingAgent";
  const execution = (id: string, ago: number) => ({
    id,
    provider: "p",
    lastExecutionStartMs: NOW - ago,
    lastExecutionDurationMs: 200,
  });
  const lock = (holder: string, lifeMs: number) => ({ holder, lifeMs, held: holder.startsWith("aec:") });
  const sighting = (executions: [string, number][], locks: [string, string, number][]): Sighting => ({
    executions: new Map(executions.map(([id, ago]) => [id, execution(id, ago)])),
    locks: new Map(locks.map(([id, holder, life]) => [id, lock(holder, life)])),
    now: NOW,
    configuredMs: undefined,
  });
  const NODE = "10.0.0.1:1@one";
  const GONE = "10.0.0.2:1@two";

  test.each<[string, string, [string, number][], [string, string, number][]]>([
    ["ok", "half way", [[A, 15_000]], [[A, NODE, 15_000]]],
    ["ok", "due, without a lock for a moment", [[A, 31_000]], []],
    ["running", "a fresh lock", [[A, 32_000]], [[A, NODE, 299_000]]],
    ["held", "an aec's value", [[A, 32_000]], [[A, "aec:me", 20_000]]],
    [
      "stuck",
      "a run that lasts for minutes, of a node that lives",
      [
        [A, 260_000],
        [B, 5_000],
      ],
      [
        [A, NODE, 70_000],
        [B, NODE, 25_000],
      ],
    ],
    ["late", "nobody has taken it for minutes", [[A, 300_000]], []],
    [
      "failing",
      "idle again and again without a success",
      [
        [A, 200_000],
        [B, 5_000],
      ],
      [
        [A, NODE, 20_000],
        [B, NODE, 25_000],
      ],
    ],
    ["never-ran", "idle, and introspection knows no run", [], [[A, NODE, 20_000]]],
    [
      "blocked",
      "an old lock of a node that finishes nothing",
      [
        [A, 131_000],
        [B, 5_000],
      ],
      [
        [A, GONE, 200_000],
        [B, NODE, 25_000],
      ],
    ],
  ])("%s: %s", (state, _, executions, locks) => {
    const [view] = agentViews(sighting(executions, locks));
    expect(view?.state).toBe(state);
  });

  test("an agent with a long interval of its own is idle between its runs; of others it is not told", () => {
    const image = "prod/us-east-1/ImageCachingAgent/public";
    const cleanup = "CleanupDetachedInstancesAgent";
    const views = agentViews(
      sighting(
        [
          [image, 600_000],
          [A, 5_000],
        ],
        [
          [image, NODE, 3_000_000],
          [cleanup, NODE, 500_000],
          [A, NODE, 25_000],
        ],
      ),
    );
    const states = Object.fromEntries(views.map(({ id, state }) => [id, state]));
    expect(states).toEqual({ [image]: "ok", [cleanup]: "unknown", [A]: "ok" });
  });

  test("what is late or failing is measured by the agent's own interval, or by the site's", () => {
    const key = "prod/us-east-1/AmazonKeyPairCachingAgent";
    const slow = sighting(
      [
        [A, 100_000],
        [B, 50_000],
        [key, 250_000],
      ],
      [
        [A, NODE, 50_000],
        [B, NODE, 100_000],
        [key, NODE, 50_000],
      ],
    );
    expect(
      agentViews({ ...slow, configuredMs: 150_000 }).map(({ state, intervalMs }) => [state, intervalMs]),
    ).toEqual([
      ["ok", 300_000],
      ["ok", 150_000],
      ["ok", 150_000],
    ]);
  });

  test("while others are held, a node is dead only where others took many agents since it took its last", () => {
    const vpc = "prod/us-east-1/AmazonVpcCachingAgent";
    const dead = (taken: number, agoMs: number) =>
      deadNodes(
        sighting(
          Array.from({ length: taken }, (_, index) => [`a${index}/us-east-1/ClusterCachingAgent`, agoMs]),
          [
            [A, GONE, 200_000],
            [vpc, "aec:serve", 50_000],
            ...Array.from({ length: taken }, (_, index): [string, string, number] => [
              `a${index}/us-east-1/ClusterCachingAgent`,
              NODE,
              25_000,
            ]),
          ],
        ),
      ).has(GONE);
    expect([dead(13, 5_000), dead(14, 5_000), dead(14, 101_000)]).toEqual([false, true, false]);
  });

  test("while others are held, what another cloud's nodes run is not measured by what AWS's run", () => {
    const taken = Array.from({ length: 20 }, (_, index) => `a${index}/us-east-1/ClusterCachingAgent`);
    const dead = (agent: string) =>
      deadNodes(
        sighting(
          taken.map((id) => [id, 5_000]),
          [
            [agent, GONE, 150_000],
            ["prod/us-east-1/AmazonVpcCachingAgent", "aec:serve", 50_000],
            ...taken.map((id): [string, string, number] => [id, NODE, 25_000]),
          ],
        ),
      ).has(GONE);
    expect([dead("cluster-1/KubernetesCoreCachingAgent[1/1]"), dead(B)]).toEqual([false, true]);
  });

  test("with a longer timeout of the agents, locks of six minutes tell when they were taken, too", () => {
    const long = {
      ...sighting(
        [[A, 5_000]],
        [
          [A, NODE, 295_000],
          [B, GONE, 260_000],
        ],
      ),
      configuredMs: 300_000,
    };
    expect(deadNodes(long)).toEqual(new Set([GONE]));
    const fresh: [string, string, number] = ["prod/us-east-1/AmazonVpcCachingAgent", GONE, 340_000];
    const { locks } = sighting([], [fresh]);
    expect(deadNodes({ ...long, locks: new Map([...long.locks, ...locks]) })).toEqual(new Set());
  });

  test("a node that has just begun, or that is the only one, is never taken for dead", () => {
    expect(
      deadNodes(
        sighting(
          [
            [A, 41_000],
            [B, 5_000],
          ],
          [
            [A, GONE, 290_000],
            [B, NODE, 25_000],
          ],
        ),
      ),
    ).toEqual(new Set());
    expect(deadNodes(sighting([[A, 231_000]], [[A, GONE, 100_000]]))).toEqual(new Set());
    const both = sighting(
      [
        [A, 231_000],
        [B, 5_000],
      ],
      [
        [A, NODE, 100_000],
        [B, NODE, 25_000],
      ],
    );
    expect(deadNodes(both)).toEqual(new Set());
  });
});

describe("runs that last", () => {
  test("one of twenty seconds is followed to its end, and proven", async () => {
    const site = await testSite({ runMs: 20_000 });
    const { exit, stdout } = await site.aec(["agents", "run", `prod/${REGION}/AmazonVpcCachingAgent`]);
    expect([exit, stdout]).toEqual([0, expect.stringMatching(/^ran .*took (19|2\d)/)]);
  });

  test("an agent that is run again and again is never run beside itself", async () => {
    const site = await testSite({ runMs: 6_000 });
    const agent = `prod/${REGION}/AmazonVpcCachingAgent`;
    for (let index = 0; index < 6; index += 1) {
      await site.aec(["agents", "run", agent, "--no-wait"]);
      await site.clock.sleep(1_500);
    }
    await site.clock.sleep(20_000);
    const runs = site.clouddriver.runs.filter((run) => run.agent === agent);
    for (const [index, { startedAt }] of runs.entries()) {
      expect(startedAt).toBeGreaterThanOrEqual((runs[index - 1]?.endedAt ?? 0) - 1);
    }
  });
});

/** A second node of the site that was killed in the middle of its runs, and the agents that it still has locks of. */
async function killedNode(site: TestSite) {
  const other = await startClouddriver({
    clock: site.clock,
    inventory: site.aws.inventory,
    keyspace: site.redis.keyspace,
    accounts: [{ name: "prod", accountId: site.aws.accountId, regions: [REGION] }],
    client: "other",
    runMs: 600_000,
    node: "10.9.9.9:1@other",
  });
  onTestFinished(() => other.close());
  const held = () => site.redis.keyspace.keys().filter((key) => site.redis.keyspace.get(key) === other.node);
  // One that holds nothing but an agent with a timeout of its own does not tell when it took it.
  await until(() => held().some(onlyReads), "locks of the other node");
  await other.kill();
  return { other, held };
}

describe("aec agents", () => {
  test("list: a table for people, sorted and filtered; without a lock store it says what is not known", async () => {
    const site = await testSite();
    const { exit, stdout } = await site.aec(["agents", "list", "prod/**", "--sort", "calls"]);
    expect(exit).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toMatch(/^ACCOUNT +REGION +AGENT +LAST START/);
    expect(lines.slice(1, 3).join("\n")).toMatch(/ClusterCachingAgent/);
    expect(lines.at(-1)).toMatch(/agents: .* ok.*; locks of 1 nodes/);
    const without = await site.aec(["agents", "list", "--region", REGION], { env: { AEC_LOCK_STORE: "" } });
    expect([without.exit, without.stderr]).toEqual([0, expect.stringContaining("without --lock-store")]);
    const none = await site.aec(["agents", "list", "prod/us-east-1/ClusterCachingAgnt"]);
    expect([none.exit, none.stderr]).toEqual([
      2,
      expect.stringContaining('did you mean "prod/us-east-1/ClusterCaching'),
    ]);
  });

  test("run --no-wait frees the lock and does not look; --dry-run only names", async () => {
    const site = await testSite();
    const agent = `prod/${REGION}/AmazonVpcCachingAgent`;
    const dry = await site.aec(["agents", "run", agent, "--dry-run"]);
    expect(dry.stdout).toBe(`${agent}\n`);
    const before = site.clouddriver.runs.filter((run) => run.agent === agent).length;
    const asked = await site.aec(["agents", "run", agent, "--no-wait", "-o", "json"]);
    expect(asked.json()).toMatchObject({ agents: [{ id: agent, outcome: "asked" }] });
    await until(() => site.clouddriver.runs.filter((run) => run.agent === agent).length > before, "the run");
    const { exit, stderr } = await site.aec(["agents", "run", agent], { env: { AEC_LOCK_STORE: "" } });
    expect([exit, stderr]).toEqual([2, expect.stringContaining("--lock-store")]);
  });

  test("free: a node that was killed in the middle of its runs; its agents run on the other at once", async () => {
    const site = await testSite();
    const { other, held } = await killedNode(site);
    const running = held();
    const early = await site.aec(["agents", "free", "--yes", "-o", "json"]);
    expect(early.json()).toMatchObject({ locks: [] });
    await site.clock.sleep(95_000);
    const dry = await site.aec(["agents", "free", "--dry-run", "--exit-code"]);
    expect([dry.exit, dry.stdout]).toEqual([3, expect.stringContaining(other.node)]);
    const { exit, json } = await site.aec(["agents", "free", "--yes", "-o", "json"]);
    expect(exit).toBe(0);
    expect(
      json<{ freed: { agent: string; freed: boolean }[] }>()
        .freed.map(({ agent }) => agent)
        .toSorted(),
    ).toEqual(running.toSorted());
    expect(held()).toEqual([]);
  });

  test("heal: true: aec serve frees them by itself, logged and counted, while it holds others", async () => {
    const accounts = [{ name: "second", accountId: "210987654321", regions: [REGION, "eu-west-1"] }];
    const site = await testSite({ accounts });
    const home = temporaryDirectory();
    const rules = "[{ agents: 'second/**/AmazonVpcCachingAgent', interval: 15m }]";
    writeFileSync(
      join(home, "aec.yml"),
      `version: 1\nenvironments:\n  default:\n    heal: true\n    polling: { rules: ${rules} }\n`,
    );
    const serving = await serve(site, [], { home });
    const vpc = `second/${REGION}/AmazonVpcCachingAgent`;
    await until(() => site.redis.keyspace.get(vpc)?.startsWith("aec:") ?? false, "the hold");
    const { held } = await killedNode(site);
    const running = held();
    const killed = site.clock.now();
    const freed = () =>
      serving.log().flatMap(({ msg, agent }) => (msg === "freed from a node that is gone" ? [agent] : []));
    await until(() => freed().length === running.length, "their end");
    expect(site.clock.now() - killed).toBeLessThan(240_000);
    expect(freed().toSorted()).toEqual(running.toSorted());
    expect(held()).toEqual([]);
    const metrics = await (await fetch(new URL("/metrics", serving.admin))).text();
    expect(metrics).toContain(`aec_healed_total ${running.length}`);
  });

  test("one of two replicas that is gone does not hide the other's agents", async () => {
    const site = await testSite();
    const urls = `caching=${site.clouddriver.url},caching=http://127.0.0.1:1`;
    const { exit, stdout } = await site.aec(["agents", "list"], { env: { AEC_CLOUDDRIVER_URL: urls } });
    expect([exit, stdout]).toEqual([0, expect.stringContaining("ClusterCachingAgent")]);
  });

  test("watch: a JSON line for each run, until it is interrupted", async () => {
    const site = await testSite();
    const stopper = new AbortController();
    const { world, written } = testWorld({ clock: site.clock, signal: stopper.signal, env: site.env });
    const ended = main(["agents", "watch", "prod/**", "-o", "json"], world);
    await until(() => written.stdout.includes('"ran"'), "a run");
    stopper.abort();
    expect(await ended).toBe(130);
    const [line] = written.stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(line).toMatchObject({ event: expect.any(String), id: expect.stringContaining("prod/") });
  });
});
