import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLockStore } from "../../src/agents/stores/open.ts";
import type { SqlClient } from "../../src/agents/stores/sql.ts";
import type { LockStore } from "../../src/agents/stores/store.ts";
import { systemClock } from "../../src/clock.ts";
import type { Covered } from "../../src/serve/holding/coverage.ts";
import { REGION, type Serving, serve, type TestSite, testSite, until } from "../helpers/site.ts";
import { type Database, startMariadb, startPostgres } from "./sql/databases.ts";
import { createTable, runSqlScheduler } from "./sql/scheduler.ts";

const CLUSTER = `prod/${REGION}/ClusterCachingAgent`;
const SUBNETS = `prod/${REGION}/AmazonSubnetCachingAgent`;
const DLQ = `arn:aws:sqs:${REGION}:012345678901:aec-default-dlq`;
const TOPIC = `arn:aws:sns:${REGION}:012345678901:aec-default`;
const LONG_MS = 60_000;

describe.each([
  ["MariaDB", startMariadb],
  ["PostgreSQL", startPostgres],
] as const)("serve --mode events on a scheduler whose locks are in %s", (_, start) => {
  let database: Database;
  let client: SqlClient;
  let locks: LockStore;

  beforeAll(async () => {
    database = await start();
    client = database.open();
    await createTable(client);
    locks = await openLockStore(database.url);
  }, 120_000);
  afterAll(async () => {
    locks?.close();
    client?.close();
    await database?.stop();
  });

  const isHeld = async () => (await locks.lock(CLUSTER)).held;
  const runsOf = (site: TestSite, agent: string) =>
    site.clouddriver.runs.filter((run) => run.agent === agent).length;
  const events = async ({ admin }: Serving) => {
    const answer = await fetch(new URL("/status", admin), { headers: { authorization: "Bearer token" } });
    return ((await answer.json()) as { events: Covered[] }).events;
  };

  test("a deployment while its agents are held, events that are lost, and the end of serve", async () => {
    const site = await testSite({
      clock: systemClock(),
      locks: { url: database.url, schedule: (options) => runSqlScheduler(client, options) },
    });
    const serving = await serve(site, ["--mode", "events"], { env: { AEC_SERVE_TOKEN: "token" } });
    const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"]);
    expect(created.exit, created.stderr).toBe(0);
    expect((await site.aec(["events", "enable", "--yes"])).exit).toBe(0);
    const cached = (name: string) => site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, name);
    const visibleAfter = async (name: string, desired: number) => {
      const since = Date.now();
      site.group(name, desired);
      await until(() => cached(name)?.desired === desired, name, LONG_MS);
      return Date.now() - since;
    };
    for (let index = 0; index < 6; index += 1) await visibleAfter(`app-v00${index}`, 1);
    await until(async () => (await events(serving)).some(({ proven }) => proven), "the proof", LONG_MS);
    await until(isHeld, "the hold", LONG_MS);

    const [cluster, subnets] = [runsOf(site, CLUSTER), runsOf(site, SUBNETS)];
    await site.clock.sleep(40_000);
    expect(runsOf(site, CLUSTER)).toBe(cluster);
    expect(runsOf(site, SUBNETS)).toBeGreaterThan(subnets);

    // Made, grown, and gone; a hold that was set during a run is lost at its end, and is set anew.
    expect(await visibleAfter("web-v001", 1)).toBeLessThan(10_000);
    expect(await visibleAfter("web-v001", 3)).toBeLessThan(10_000);
    const removedAt = Date.now();
    site.aws.inventory.remove("auto-scaling-group", REGION, "app-v000");
    await until(() => cached("app-v000") === undefined, "its end", LONG_MS);
    expect(Date.now() - removedAt).toBeLessThan(10_000);
    await until(isHeld, "the hold again", LONG_MS);

    // What Orca waits for.
    const asked = Date.now();
    const before = runsOf(site, CLUSTER);
    const body = JSON.stringify({ account: "prod", region: REGION, serverGroupName: "web-v001" });
    const headers = { "content-type": "application/json" };
    await fetch(`${site.clouddriver.url}/cache/aws/ServerGroup`, { method: "POST", headers, body });
    await until(() => runsOf(site, CLUSTER) > before, "the pass", LONG_MS);
    expect(Date.now() - asked).toBeLessThan(10_000);

    await until(isHeld, "the hold once more", LONG_MS);
    site.aws.sqs.sendFromTopic(DLQ, "{}", TOPIC);
    await until(async () => !(await isHeld()), "its end", 90_000);
    expect(await events(serving)).toEqual([]);

    for (let index = 0; index < 6; index += 1) await visibleAfter(`app-v01${index}`, 1);
    await until(isHeld, "the hold after the loss", LONG_MS);
    const stopped = runsOf(site, CLUSTER);
    await serving.stop();
    await until(() => runsOf(site, CLUSTER) > stopped, "stock polling", LONG_MS);
    const runs = site.clouddriver.runs.filter(({ agent }) => agent === CLUSTER);
    for (const [index, { startedAt }] of runs.entries())
      expect(startedAt).toBeGreaterThanOrEqual((runs[index - 1]?.endedAt ?? 0) - 1);
  }, 400_000);
});
