import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deadNodes } from "../../src/agents/dead-nodes.ts";
import { runAgent } from "../../src/agents/run.ts";
import { openLockStore } from "../../src/agents/stores/open.ts";
import type { SqlClient } from "../../src/agents/stores/sql.ts";
import type { LockStore } from "../../src/agents/stores/store.ts";
import { agentViews } from "../../src/agents/view.ts";
import { systemClock } from "../../src/clock.ts";
import { createKeeper } from "../../src/polling/live/keeper.ts";
import { createLeases } from "../../src/serve/leases.ts";
import { type Database, startMariadb, startPostgres } from "./sql/databases.ts";
import { createTable, type SqlNode, startNode } from "./sql/scheduler.ts";

const AGENTS = ["prod/us-east-1/ClusterCachingAgent", "prod/us-east-1/AmazonVpcCachingAgent"] as const;
const [CLUSTER, VPC] = AGENTS;
const OWN = "aec:contract";

describe.each([
  ["MariaDB", startMariadb],
  ["PostgreSQL", startPostgres],
] as const)("SQL locks in %s", (_, start) => {
  let database: Database;
  let client: SqlClient;
  let locks: LockStore;
  let node: SqlNode;
  const clock = systemClock();
  const signal = new AbortController().signal;
  const sleep = (ms: number) => clock.sleep(ms);
  const run = (agent: string) =>
    runAgent(agent, { locks, executions: node.executions, clock, signal, timeoutMs: 20_000 });
  const until = async (condition: () => boolean | Promise<boolean>) => {
    for (const end = Date.now() + 20_000; !(await condition()); await sleep(20))
      if (Date.now() > end) throw new Error("timed out");
  };
  const untilHeld = async (held: () => Promise<boolean>) => {
    for (const end = Date.now() + 45_000; !(await held()); await sleep(200))
      if (Date.now() > end) throw new Error("nothing was held in time");
  };
  const row = async (agent: string) =>
    (await client.query("SELECT owner_id, lock_expiry FROM cats_agent_locks WHERE agent_name = ?", [agent]))
      .rows[0];

  beforeAll(async () => {
    database = await start();
    client = database.open();
    await createTable(client);
    locks = await openLockStore(database.url);
    node = startNode(client, "10.0.0.1:1@one", AGENTS);
    await until(() => AGENTS.every((agent) => (node.starts.get(agent)?.length ?? 0) > 0));
    await sleep(500);
  }, 120_000);
  afterAll(async () => {
    node?.kill();
    await sleep(400);
    locks?.close();
    client?.close();
    await database?.stop();
  });

  test("rows of the pubsub scheduler are told, its empty table is not", async () => {
    expect(await locks.otherScheduler()).toBeUndefined();
    await client.query("CREATE TABLE pubsub_agent_state (agent_type VARCHAR(200) PRIMARY KEY)", []);
    expect(await locks.otherScheduler()).toBeUndefined();
    await client.query("INSERT INTO pubsub_agent_state VALUES (?)", [CLUSTER]);
    expect(await locks.otherScheduler()).toBe("pubsub");
    await client.query("DROP TABLE pubsub_agent_state", []);
  });

  test("an idle agent is run now, proven, and never beside itself", async () => {
    const before = node.starts.get(CLUSTER)?.length ?? 0;
    const started = Date.now();
    const outcomes = await Promise.all([run(CLUSTER), run(CLUSTER)]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["ran", "ran"]);
    expect(Date.now() - started).toBeLessThan(8_000);
    expect((node.starts.get(CLUSTER)?.length ?? 0) - before).toBeLessThanOrEqual(2);
    expect(node.overlap()).toBe(1);
  });

  test("its interval is inferred, its holder is the node, and the node is not taken for dead", async () => {
    await sleep(500);
    const { byAgent, serverTime } = await node.executions();
    const sighting = {
      executions: byAgent,
      locks: await locks.locksOf(await locks.locked()),
      now: serverTime - 500,
      configuredMs: undefined,
    };
    const [view] = agentViews(sighting).filter(({ id }) => id === CLUSTER);
    expect(view).toMatchObject({ state: "ok", holder: node.owner });
    expect(view?.intervalMs).toBeGreaterThan(28_000);
    expect(view?.intervalMs).toBeLessThan(32_000);
    expect(deadNodes(sighting)).toEqual(new Set());
    expect(await locks.count([...AGENTS, "none"])).toBe(2);
  });

  test("a hold of an idle agent keeps it from running until it ends, and is renewed and taken back by its owner", async () => {
    const { lifeMs } = await locks.lock(VPC);
    expect(await locks.hold(VPC, OWN, 3_000, lifeMs)).toBe("set");
    const starts = node.starts.get(VPC)?.length ?? 0;
    expect(await locks.hold(VPC, "aec:other", 3_000, lifeMs)).toBe("held");
    expect(await locks.runNow(VPC, 400_000)).toBe("held");
    await sleep(2_000);
    expect(await locks.hold(VPC, OWN, 3_000, 0)).toBe("set");
    await sleep(2_000);
    expect(node.starts.get(VPC)?.length).toBe(starts);
    expect(await locks.deleteIf(VPC, "aec:other")).toBe(false);
    expect(await locks.deleteIf(VPC, OWN)).toBe(true);
    await until(() => (node.starts.get(VPC)?.length ?? 0) > starts);
    await sleep(500);
    expect((await row(VPC))?.owner_id).toBe(node.owner);
  });

  test("a running agent is neither held nor freed; a row that was taken anew is left alone", async () => {
    const now = Date.now();
    const name = "prod/us-east-1/AmazonSubnetCachingAgent";
    await client.query(
      "INSERT INTO cats_agent_locks (agent_name, owner_id, lock_acquired, lock_expiry) VALUES (?, ?, ?, ?)",
      [name, "10.0.0.9:1@gone", now, now + 300_000],
    );
    expect(await locks.hold(name, OWN, 5_000, 31_000)).toBe("running");
    expect(await locks.runNow(name, 31_000)).toBe("running");
    expect(await locks.lock(name)).toMatchObject({ holder: "10.0.0.9:1@gone", held: false });
    expect(await locks.deleteIf(name, "10.0.0.9:1@gone")).toBe(true);
    expect(await locks.lock(name)).toEqual({ holder: undefined, lifeMs: 0, held: false });
  });

  test("an expired row is no lock; a hold takes its place", async () => {
    const name = "prod/us-east-1/InstanceCachingAgent";
    await client.query(
      "INSERT INTO cats_agent_locks (agent_name, owner_id, lock_acquired, lock_expiry) VALUES (?, ?, ?, ?)",
      [name, "10.0.0.9:1@gone", 1, 2],
    );
    expect(await locks.runNow(name, 1_000)).toBe("due");
    const answer = await locks.hold(name, OWN, 5_000, 0);
    // The scheduler may delete the expired row at the same moment.
    if (answer !== "set") expect(await locks.hold(name, OWN, 5_000, 0)).toBe("set");
    expect(await locks.deleteIf(name, OWN)).toBe(true);
  });

  test("leases of replicas: never two at a time, one for each window, given back, and no agents to anybody", async () => {
    const log = { warn: (...told: unknown[]) => expect(told).toEqual([]) } as never;
    const replicas = [1, 2, 3].map(() => createLeases(locks, clock, signal, log));
    const begun: number[] = [];
    let [inside, most, served] = [0, 0, 0];
    const work = async () => {
      begun.push(Date.now());
      inside += 1;
      most = Math.max(most, inside);
      await sleep(300);
      inside -= 1;
      return "ran";
    };
    // Who waits is served by a run that began after it had started to.
    const waiting = async () => {
      const since = Date.now();
      return async () => {
        if ((begun.at(-1) ?? 0) <= since) return undefined;
        served += 1;
        return "ran";
      };
    };
    await Promise.all(replicas.map((replica) => replica.alone(CLUSTER, 1_000, { waiting, work })));
    expect([most, begun.length + served]).toEqual([1, 3]);
    const gaps = begun.slice(1).map((at, index) => at - (begun[index] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(900);
    expect(await row(`aec/lease/${CLUSTER}`)).toBeUndefined();
    expect((await locks.locked()).filter((name) => name.startsWith("aec"))).toEqual([]);
  });

  test("left to the floor: held beyond the interval, run when an event wants it, and free again when aec stops", async () => {
    const stopper = new AbortController();
    const floorOf = (agent: string) => ({
      agents: agent,
      intervalMs: 300_000,
      until: null,
      owner: "aec serve",
      reason: "proven",
    });
    const keeper = createKeeper({
      locks,
      see: async () => {
        const { byAgent, serverTime } = await node.executions();
        return {
          executions: byAgent,
          locks: await locks.locksOf(AGENTS),
          now: serverTime - 500,
          configuredMs: undefined,
        };
      },
      clock,
      signal: stopper.signal,
      log: pino({ enabled: false }),
      owner: "contract",
      standing: [],
      floorOf,
    });
    const keeping = keeper.keep();
    const startsOf = (agent: string) => node.starts.get(agent)?.length ?? 0;
    const held = async () =>
      (await Promise.all(AGENTS.map((agent) => locks.lock(agent)))).every((lock) => lock.held);
    try {
      await untilHeld(held);
      const before = AGENTS.map(startsOf);
      await sleep(35_000);
      expect(AGENTS.map(startsOf)).toEqual(before);
      // Its completion overwrites whatever was set during the run: looked at again, and held anew.
      const wanted = await runAgent(CLUSTER, {
        locks: keeper.yielding(locks),
        executions: node.executions,
        clock,
        signal,
        timeoutMs: 20_000,
      });
      expect(wanted.outcome).toBe("ran");
      await untilHeld(held);
    } finally {
      stopper.abort();
      await keeping;
    }
    const after = AGENTS.map(startsOf);
    await until(() => AGENTS.every((agent, index) => startsOf(agent) > (after[index] ?? 0)));
    expect(node.overlap()).toBe(1);
  });

  test("another table by its namespace; a database that is gone or has no such table is told", async () => {
    await createTable(client, "cats_agent_locks_blue");
    const blue = await openLockStore(`${database.url}?table-namespace=blue`);
    expect(await blue.locked()).toEqual([]);
    blue.close();
    const missing = await openLockStore(`${database.url}?table-namespace=none`);
    await expect(missing.locked()).rejects.toMatchObject({ code: "lock-store-failed" });
    missing.close();
    const gone = await openLockStore(database.url.replace(/:\d+\//, ":1/"));
    await expect(gone.lock(CLUSTER)).rejects.toMatchObject({ code: "lock-store-failed" });
    gone.close();
    await expect(openLockStore(`${database.url}?table-namespace=a;b`)).rejects.toMatchObject({ exit: 2 });
  });
});
