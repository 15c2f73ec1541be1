import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextStep } from "../../src/polling/live/step.ts";
import { type Wish, wishFor } from "../../src/polling/live/wishes.ts";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const AGENT = `prod/${REGION}/AmazonSubnetCachingAgent`;
const TOKEN = { AEC_SERVE_TOKEN: "token" };
const wish = (more: Partial<Wish>): Wish => ({
  agents: "**",
  intervalMs: 300_000,
  until: null,
  owner: "somebody",
  reason: "",
  ...more,
});

describe("which wish is in force", () => {
  const noon = new Date(2026, 10, 21, 12).getTime();
  test("the last that matches and has not ended; never for agents that may change AWS", () => {
    const wishes = [wish({ intervalMs: 60_000 }), wish({ agents: "prod/**", until: noon + 1 })];
    expect(wishFor(AGENT, wishes, noon)?.intervalMs).toBe(300_000);
    expect(wishFor(AGENT, wishes, noon + 2)?.intervalMs).toBe(60_000);
    expect(wishFor("CleanupDetachedInstancesAgent", wishes, noon)).toBeUndefined();
  });

  test.each([
    ["20:00-07:00", 12, false],
    ["20:00-07:00", 23, true],
    ["20:00-07:00", 6, true],
    ["09:00-17:00", 12, true],
    ["09:00-12:00", 12, false],
  ])("%s at %i o'clock: %s", (hours, hour, expected) => {
    const now = new Date(2026, 10, 21, hour).getTime();
    expect(wishFor(AGENT, [wish({ hours })], now) !== undefined).toBe(expected);
  });
});

describe("one step", () => {
  const NOW = 1_800_000_000_000;
  const OWN = "aec:me";
  const seen = (sinceStart: number | undefined, lock?: [holder: string, lifeMs: number]) => ({
    executions: new Map(
      sinceStart === undefined
        ? []
        : [
            [
              AGENT,
              {
                id: AGENT,
                provider: "p",
                lastExecutionStartMs: NOW - sinceStart,
                lastExecutionDurationMs: 1,
              },
            ],
          ],
    ),
    locks: new Map(
      lock ? [[AGENT, { holder: lock[0], lifeMs: lock[1], held: lock[0].startsWith("aec:") }]] : [],
    ),
    now: NOW,
    configuredMs: undefined,
  });
  const step = (...args: Parameters<typeof seen>) => nextStep(AGENT, wish({}), seen(...args), OWN).action;

  test.each([
    ["an idle lock gives way to a hold", "hold", 10_000, ["10.0.0.1:1@n", 20_000]],
    ["no lock, not due: a hold", "hold", 31_000, undefined],
    ["a run is never touched", "none", 31_000, ["10.0.0.1:1@n", 299_000]],
    ["our hold, still long: nothing", "none", 100_000, [OWN, 50_000]],
    ["our hold, running out: renewed", "hold", 100_000, [OWN, 20_000]],
    ["our hold, and the agent is due: released", "release", 301_000, [OWN, 10_000]],
    ["somebody else's hold stays", "none", 10_000, ["aec:other", 20_000]],
    ["never seen to run: left alone", "none", undefined, ["10.0.0.1:1@n", 20_000]],
  ] as [string, string, number | undefined, [string, number] | undefined][])(
    "%s",
    (_, action, sinceStart, lock) => {
      expect(step(sinceStart, lock)).toBe(action);
    },
  );

  test("a wish that is shorter than the site's interval runs the agent, and what failed is not tried at once", () => {
    const short = wish({ intervalMs: 60_000 });
    const late = seen(70_000, ["10.0.0.1:1@n", 20_000]);
    expect(nextStep(AGENT, short, late, OWN).action).toBe("run");
    expect(nextStep(AGENT, short, late, OWN, NOW - 5_000).action).toBe("hold");
  });

  test("property: a hold never outlives the wish or a minute, and never takes a running lock", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 600_000 }),
        fc.option(
          fc.tuple(fc.constantFrom("10.0.0.1:1@n", OWN, "aec:other"), fc.integer({ min: 1, max: 300_000 })),
          {
            nil: undefined,
          },
        ),
        fc.integer({ min: 10_000, max: 900_000 }),
        (sinceStart, lock, intervalMs) => {
          const decided = nextStep(AGENT, wish({ intervalMs }), seen(sinceStart, lock), OWN);
          if (decided.action !== "hold") return;
          expect(decided.lifeMs).toBeLessThanOrEqual(Math.min(60_000, intervalMs - sinceStart));
          expect(decided.lifeMs).toBeGreaterThan(0);
          if (lock) expect(["10.0.0.1:1@n", OWN]).toContain(lock[0]);
          if (lock && lock[0] !== OWN) expect(sinceStart + lock[1]).toBeLessThan(308_000);
        },
      ),
    );
  });
});

describe("live polling, kept by serve", () => {
  async function serving(site: TestSite, argv: string[] = [], more: { cwd?: string } = {}) {
    const server = await serve(site, argv, { env: TOKEN, ...more });
    const env = { ...TOKEN, AEC_SERVE_URL: server.admin };
    return { server, run: (...line: string[]) => site.aec(["polling", ...line], { env }) };
  }
  const starts = (site: TestSite) =>
    site.clouddriver.runs.filter(({ agent }) => agent === AGENT).map(({ startedAt }) => startedAt);

  test("set --live: in force within seconds, seen by polling get, and released within seconds", async () => {
    const site = await testSite();
    const { run } = await serving(site);
    const set = await run("set", "--live", "--agents", AGENT, "--interval", "150s", "-o", "json");
    expect(set.exit, set.stdout).toBe(0);
    const before = starts(site).length;
    const from = starts(site).at(-1) ?? 0;
    await site.clock.sleep(75_000);
    expect(starts(site).length).toBe(before);
    const got = await run("get", "-o", "json");
    expect(got.json()).toMatchObject({ holds: [{ agent: AGENT, owner: expect.stringContaining("@") }] });
    await until(() => starts(site).length > before, "the run that is due");
    const interval = (starts(site).at(-1) ?? 0) - from;
    expect(interval).toBeGreaterThanOrEqual(147_000);
    expect(interval).toBeLessThan(190_000);
    await site.clock.sleep(5_000);
    const released = await run("release", AGENT);
    expect(released.stdout).toBe(`released ${AGENT}\n`);
    const then = starts(site).length;
    await site.clock.sleep(33_000);
    expect(starts(site).length).toBeGreaterThan(then);
  });

  test("hold: no run until its end; an event still runs its agent at once", async () => {
    const site = await testSite();
    const { server, run } = await serving(site);
    const created = await site.aec(["sns", "create", "--endpoint", server.notify, "--yes", "-o", "json"]);
    site.aws.config.enable(REGION, created.json<{ topicArn: string }>().topicArn);
    const held = await run(
      "hold",
      `prod/${REGION}/ClusterCachingAgent`,
      "--for",
      "10m",
      "--reason",
      "throttled",
    );
    expect([held.exit, held.stderr]).toEqual([0, expect.stringContaining("pipelines wait for")]);
    expect((await run("get")).stdout).toMatch(/held {2}prod.*ClusterCachingAgent until .* \(throttled\)/);
    site.group("app-main-v001", 1);
    const cached = () => site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, "app-main-v001");
    await until(() => cached() !== undefined, "the group in the cache");
  });

  test("stopped, serve leaves no hold behind; killed, they end within a minute; started again, it goes on", async () => {
    const site = await testSite();
    const first = await serving(site);
    await first.run("hold", AGENT, "--for", "10m");
    const isHeld = () => site.redis.keyspace.get(AGENT)?.startsWith("aec:") ?? false;
    await until(isHeld, "the hold");
    expect(site.redis.keyspace.pttl(AGENT)).toBeLessThanOrEqual(60_000);
    await first.server.stop();
    expect(isHeld()).toBe(false);
    const second = await serving(site);
    await until(isHeld, "the hold of the next serve");
    expect((await second.run("release")).stdout).toContain(AGENT);
    await until(() => !isHeld(), "its release");
  });

  test("an agent that fails is not run more often than it is wished", async () => {
    const site = await testSite();
    const { run } = await serving(site);
    await run("set", "--live", "--agents", AGENT, "--interval", "60s");
    site.clouddriver.failAws(/AmazonSubnet/);
    const before = starts(site).length;
    await site.clock.sleep(180_000);
    expect(starts(site).length - before).toBeLessThanOrEqual(5);
  });

  test("two replicas of serve: both know the wish, and it holds whoever was told", async () => {
    const site = await testSite();
    const one = await serving(site);
    const two = await serving(site);
    await one.run("hold", AGENT, "--for", "10m");
    await site.clock.sleep(10_000);
    const before = starts(site).length;
    await site.clock.sleep(90_000);
    expect(starts(site).length).toBe(before);
    expect((await two.run("get", "-o", "json")).json()).toMatchObject({ holds: [{ agent: AGENT }] });
    expect((await two.run("release")).stdout).toContain(AGENT);
    await until(() => starts(site).length > before, "the next run");
  });

  test("--dry-run asks and changes nothing", async () => {
    const site = await testSite();
    const { run } = await serving(site);
    const hold = await run("hold", AGENT, "--for", "10m", "--dry-run", "--exit-code");
    expect([hold.exit, hold.stdout]).toEqual([3, expect.stringContaining("nothing was changed")]);
    expect((await run("set", "--live", "--interval", "5m", "--dry-run")).exit).toBe(0);
    expect((await run("release", "--dry-run", "--exit-code")).exit).toBe(0);
    expect((await run("get", "-o", "json")).json()).toMatchObject({ holds: [] });
  });

  test("polling.rules of aec.yml are kept from the start", async () => {
    const site = await testSite();
    const cwd = temporaryDirectory();
    const rule = `{ agents: "prod/**/AmazonSubnetCachingAgent", interval: 10m }`;
    writeFileSync(
      `${cwd}/aec.yml`,
      `version: 1\nenvironments:\n  default:\n    polling: { rules: [ ${rule} ] }\n`,
    );
    await serving(site, [], { cwd });
    await until(() => site.redis.keyspace.get(AGENT)?.startsWith("aec:") ?? false, "the hold");
  });

  test("wrong use: no serve, no end, an agent's interval that is none, a serve without a lock store", async () => {
    const site = await testSite();
    const alone = await site.aec(["polling", "set", "--live", "--interval", "5m", "-o", "json"]);
    expect([alone.exit, alone.json()]).toMatchObject([2, { error: { code: "no-serve" } }]);
    const { run } = await serving(site);
    expect((await run("hold", AGENT)).exit).toBe(2);
    expect((await run("set", "--live")).exit).toBe(2);
    const short = await run("set", "--live", "--interval", "1s");
    expect([short.exit, short.stderr]).toEqual([1, expect.stringContaining("refuses")]);
    const long = await run("hold", AGENT, "--for", "9999h");
    expect([long.exit, long.stderr]).toEqual([1, expect.stringContaining("30 days")]);
    for (const url of ["mysql://u:p#w@h/db", "postgres://h:port/db", "mysql://u:100%@h/db"]) {
      const { exit, stderr } = await site.aec(["agents", "list", "--lock-store", url]);
      expect([exit, stderr], url).toEqual([2, expect.not.stringContaining("p#w")]);
    }
    const careful = await serve(site, ["--mode", "careful"], { env: { ...TOKEN, AEC_LOCK_STORE: "" } });
    const refused = await site.aec(["polling", "hold", AGENT, "--for", "1m", "--serve-url", careful.admin], {
      env: TOKEN,
    });
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("no lock store")]);
  });
});
