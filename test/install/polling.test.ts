import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

let home: string;
const profile = (name: string) => join(home, ".hal", "default", "profiles", name);
const read = (name: string) => readFileSync(profile(name), "utf8");
const fixture = (name: string) => readFileSync(join(import.meta.dirname, "..", "fixtures", name), "utf8");
const set = (...argv: string[]) => aec(["polling", "set", "--halyard", "--yes", ...argv], { home });
interface Got {
  configured: { file: string; key: string; value: unknown; inForce: boolean; reason?: string }[];
  effective: { intervalSeconds: number; timeoutSeconds: number };
}
const get = async () => (await aec(["polling", "get", "--halyard", "-o", "json"], { home })).json<Got>();

beforeEach(() => {
  home = temporaryDirectory();
  mkdirSync(join(home, ".hal", "default", "profiles"), { recursive: true });
});

test("sets only what was named, under redis.poll by default", async () => {
  const { exit, stdout, stderr } = await set("--interval", "2m", "--error-interval", "120s");
  expect(exit).toBe(0);
  expect(read("clouddriver-local.yml")).toBe(
    "redis:\n  poll:\n    intervalSeconds: 120\n    errorIntervalSeconds: 120\n",
  );
  expect(stdout).toContain("--service-names clouddriver\n");
  expect(stderr).toContain("up to 120 s longer");
});

test("high availability: the caching role's own file, and only that role rolls out", async () => {
  writeFileSync(join(home, ".hal", "config"), fixture("halconfig-01-ha.yml").replaceAll("prod", "default2"));
  const argv = ["polling", "set", "--halyard", "--yes", "--interval", "60s"];
  const { stdout } = await aec(argv, { home });
  expect(stdout).toContain("clouddriver-caching-local.yml");
  expect(stdout).toContain("--service-names clouddriver-caching monitoring-daemon\n");
});

test("SQL cache with Redis on: both namespaces, equal values", async () => {
  writeFileSync(profile("clouddriver-local.yml"), fixture("profile-34-sql-cache-redis-scheduler.yml"));
  await set("--interval", "90s");
  const { configured, effective } = await get();
  expect(configured.map(({ key, value, inForce }) => [key, value, inForce])).toEqual([
    ["sql.agent.poll.intervalSeconds", 90, true],
    ["redis.poll.intervalSeconds", 90, true],
  ]);
  expect(effective).toMatchObject({ intervalSeconds: 90, timeoutSeconds: 300 });
});

test("edits the spelling that is there", async () => {
  writeFileSync(profile("clouddriver-local.yml"), "redis.poll.interval-seconds: 45 # ops\n");
  await set("--interval", "60s");
  expect(read("clouddriver-local.yml")).toBe("redis.poll.interval-seconds: 60 # ops\n");
});

test("get tells keys that Clouddriver never reads and those that a later file overrides", async () => {
  writeFileSync(profile("spinnaker-local.yml"), "redis.poll.intervalSeconds: 40\n");
  writeFileSync(
    profile("clouddriver-local.yml"),
    "sql:\n  poll:\n    intervalSeconds: 10\nredis:\n  poll:\n    intervalSeconds: 50\n",
  );
  const { configured, effective } = await get();
  expect(configured.map(({ key, inForce }) => [key, inForce])).toEqual([
    ["redis.poll.intervalSeconds", false],
    ["sql.poll.intervalSeconds", false],
    ["redis.poll.intervalSeconds", true],
  ]);
  expect(configured[1]?.reason).toContain("sql.agent.poll");
  expect(effective.intervalSeconds).toBe(50);
});

test("get names variables that override nothing, and agents with intervals of their own", async () => {
  mkdirSync(join(home, ".hal", "default", "service-settings"), { recursive: true });
  writeFileSync(
    join(home, ".hal", "default", "service-settings", "clouddriver.yml"),
    "env:\n  REDIS_POLL_INTERVALSECONDS: 300\n  JAVA_OPTS: -Xmx4g\n",
  );
  const { configured, effective } = await get();
  expect(configured).toEqual([
    expect.objectContaining({ key: "REDIS_POLL_INTERVALSECONDS", value: 300, inForce: false }),
  ]);
  expect(effective.intervalSeconds).toBe(30);
  expect((await aec(["polling", "get", "--halyard"], { home })).stdout).toContain(
    "AmazonKeyPairCachingAgent 5m",
  );
});

test("twice changes no byte; --dry-run --exit-code tells", async () => {
  await set("--interval", "60s");
  expect((await set("--interval", "60s")).stdout).toContain("nothing to change");
  expect((await set("--interval", "60s", "--dry-run", "--exit-code")).exit).toBe(0);
  expect((await set("--interval", "61s", "--dry-run", "--exit-code")).exit).toBe(3);
  expect(read("clouddriver-local.yml")).toContain("intervalSeconds: 60\n");
});

test.each([
  [["--interval", "10m"], /--agent-timeout 660s/],
  [["--interval", "soon"], /"soon" is not a duration/],
  [["--interval", "500ms"], /whole seconds/],
  [[], /--interval 120s/],
])("refuses %j", async (argv, reason) => {
  const { exit, stderr } = await set(...argv);
  expect(exit).toBe(2);
  expect(stderr).toMatch(reason);
});

test("a lock life below the stock one is warned of: idle agents could not be told any more", async () => {
  const { exit, stderr } = await set("--agent-timeout", "120s");
  expect(exit).toBe(0);
  expect(stderr).toContain("do not use --lock-store");
});

test("another document of the file that sets an interval is left alone, and told", async () => {
  const text =
    "redis:\n  poll:\n    intervalSeconds: 30\n---\nspring.config.activate.on-profile: night\nredis.poll.interval-seconds: 300\n";
  writeFileSync(profile("clouddriver-local.yml"), text);
  const { exit, stderr } = await set("--interval", "60s");
  expect(exit).toBe(0);
  expect(stderr).toContain(
    "clouddriver-local.yml:6: another document of this file sets redis.poll.intervalSeconds too",
  );
  expect(read("clouddriver-local.yml")).toBe(text.replace(": 30\n", ": 60\n"));
});
