import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisLocks } from "../../src/agents/stores/redis.ts";
import type { AgentView } from "../../src/agents/view.ts";
import type { Clock } from "../../src/clock.ts";
import { aec } from "../helpers/aec.ts";

/** Kinds of which the contract needs no more than that they come and go. */
export type PlainUnderTest = "key-pair" | "vpc" | "stack";

/** A Clouddriver with its Redis and its AWS: the embedded one, or the real engine. */
export interface EngineUnderTest {
  account: string;
  region: string;
  clouddriverUrl: string;
  redisUrl: string;
  /** Points `aec` at the AWS that it polls. */
  awsEnv: Record<string, string>;
  /** The time in which its agents run. */
  clock: Clock;
  /** Creates or resizes an Auto Scaling group. */
  group(name: string, desired: number): Promise<void>;
  removeGroup(name: string): Promise<void>;
  /** Creates a security group and returns its id. */
  securityGroup(name: string): Promise<string>;
  allow(securityGroupId: string, cidr: string): Promise<void>;
  removeSecurityGroup(id: string): Promise<void>;
  balancer(name: string, type: "application" | "classic"): Promise<void>;
  /** Gives it something new that Clouddriver shows. */
  changeBalancer(name: string): Promise<void>;
  removeBalancer(name: string): Promise<void>;
  /** Creates one and returns how it is named in the cache. */
  plain(kind: PlainUnderTest, name: string): Promise<string>;
  removePlain(kind: PlainUnderTest, id: string): Promise<void>;
  /** Makes the calls of the cluster agent fail as when AWS answers 500. */
  failClusters(on: boolean): void;
  stop(): Promise<void>;
}

interface Item {
  name: string;
  via: string;
  verdict: string;
  detail: string;
  durationMs: number;
}

/** What `aec` relies on, proven on the real engine and held to by the sandbox. Groups are told apart by `prefix`. */
export function engineContract(start: () => Promise<EngineUnderTest>): void {
  let engine: EngineUnderTest;
  let redis: Redis;
  let counter = 0;
  const groupName = () => {
    counter += 1;
    return `contract${counter}-main-v001`;
  };

  beforeAll(async () => {
    engine = await start();
    redis = new Redis(engine.redisUrl);
  }, 300_000);
  afterAll(async () => {
    redis?.disconnect();
    await engine?.stop();
  });

  const agent = (name: string) => `${engine.account}/${engine.region}/${name}`;
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(engine.clouddriverUrl + path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  };
  const post = (name: string) =>
    call("POST", "/cache/aws/ServerGroup", {
      account: engine.account,
      region: engine.region,
      serverGroupName: name,
    });
  const read = async (name: string) =>
    (await call("GET", `/serverGroups/${engine.account}/${engine.region}/${name}`)).status;
  const refresh = async (names: string[], argv: string[] = [], locks = true) => {
    const scope = ["--account", engine.account, "--region", engine.region];
    const outcome = await aec(["refresh", ...names, ...scope, "-o", "json", ...argv], {
      clock: engine.clock,
      env: { AEC_CLOUDDRIVER_URL: engine.clouddriverUrl, AEC_LOCK_STORE: locks ? engine.redisUrl : "" },
    });
    const { items = [] } = outcome.json<{ items?: Item[] }>();
    return { exit: outcome.exit, items, output: outcome.stdout + outcome.stderr };
  };

  /** Has the agents of a kind run now, so that no pass of their own comes for the next half minute. */
  const settle = async (type: string) => {
    const { exit, output } = await refresh([], ["--type", type]);
    expect(exit, output).toBe(0);
  };

  describe("agent runs through the lock", () => {
    test("new, unchanged, resized and deleted groups, each far sooner than the next pass", async () => {
      const name = groupName();
      await settle("server-group");
      await engine.group(name, 1);
      const created = await refresh([name]);
      expect(created.items[0], created.output).toMatchObject({ via: "agents", verdict: "refreshed" });
      expect(created.items[0]?.durationMs).toBeLessThan(12_000);
      expect((await refresh([name])).items[0]?.verdict).toBe("unchanged");
      await engine.group(name, 3);
      expect((await refresh([name])).items[0]?.verdict).toBe("refreshed");
      const { body } = await call("GET", `/serverGroups/${engine.account}/${engine.region}/${name}`);
      expect(body.capacity.desired).toBe(3);
      await engine.removeGroup(name);
      expect((await refresh([name])).items[0]?.verdict).toBe("evicted");
      const again = await refresh([name]);
      expect([again.exit, again.items[0]?.verdict]).toEqual([1, "not-handled"]);
    });

    test("an old on-demand record does not win: the agent runs twice", async () => {
      const name = groupName();
      await engine.group(name, 3);
      await refresh([name]);
      expect((await post(name)).status).toBe(202);
      await engine.group(name, 1);
      const { items, output } = await refresh([name]);
      expect(items[0]?.verdict, output).toBe("refreshed");
      const { body } = await call("GET", `/serverGroups/${engine.account}/${engine.region}/${name}`);
      expect(body.capacity.desired).toBe(1);
    });

    test("security groups: new, changed rules, deleted", async () => {
      await settle("security-group");
      const id = await engine.securityGroup(groupName());
      const verdict = async () => (await refresh([id], ["--type", "security-group"])).items[0]?.verdict;
      expect(await verdict()).toBe("refreshed");
      await engine.allow(id, "10.1.0.0/16");
      expect(await verdict()).toBe("refreshed");
      expect(await verdict()).toBe("unchanged");
      await engine.removeSecurityGroup(id);
      expect(await verdict()).toBe("evicted");
    });

    test.each(["application", "classic"] as const)(
      "a balancer, %s: new, unchanged, changed, deleted",
      async (type) => {
        const name = groupName();
        const verdict = async () => {
          const { items, output } = await refresh([name], ["--type", "load-balancer"]);
          expect(items, output).toHaveLength(1);
          return items[0]?.verdict;
        };
        await settle("load-balancer");
        await engine.balancer(name, type);
        expect(await verdict()).toBe("refreshed");
        expect(await verdict()).toBe("unchanged");
        await engine.changeBalancer(name);
        expect(await verdict()).toBe("refreshed");
        await engine.removeBalancer(name);
        expect(await verdict()).toBe("evicted");
      },
    );

    test.each(["key-pair", "vpc", "stack"] as const)("a %s: new, unchanged, deleted", async (kind) => {
      await settle(kind);
      const id = await engine.plain(kind, groupName());
      const verdict = async () => {
        const { items, output } = await refresh([id], ["--type", kind]);
        expect(items, output).toHaveLength(1);
        return items[0]?.verdict;
      };
      expect(await verdict()).toBe("refreshed");
      expect(await verdict()).toBe("unchanged");
      await engine.removePlain(kind, id);
      expect(await verdict()).toBe("evicted");
    });

    test("instances: those of a group are there by name after their agent's run", async () => {
      const name = groupName();
      await engine.group(name, 2);
      await refresh([name]);
      expect((await refresh([], ["--type", "instance"])).exit).toBe(0);
      const { body } = await call("GET", `/serverGroups/${engine.account}/${engine.region}/${name}`);
      const ids = body.asg.instances.map(({ instanceId }: { instanceId: string }) => instanceId);
      const { items, output } = await refresh(ids, ["--type", "instance"]);
      expect(items.length, output).toBe(2);
      for (const { verdict } of items) expect(["refreshed", "unchanged"]).toContain(verdict);
    });

    test("--verify: AWS and the cache show the same, in capacity, instances and rules", async () => {
      const name = groupName();
      const verified = async (names: string[], ...argv: string[]) => {
        const scope = ["--account", engine.account, "--region", engine.region, "--verify", "-o", "json"];
        const outcome = await aec(["refresh", ...names, ...scope, ...argv], {
          clock: engine.clock,
          env: {
            ...engine.awsEnv,
            AEC_CLOUDDRIVER_URL: engine.clouddriverUrl,
            AEC_LOCK_STORE: engine.redisUrl,
          },
        });
        const [item] = outcome.json<{ items: Item[] }>().items;
        return item;
      };
      const same = { verdict: "refreshed", detail: expect.stringContaining("AWS shows the same") };
      await settle("server-group");
      await engine.group(name, 2);
      expect(await verified([name])).toMatchObject(same);
      await settle("security-group");
      const id = await engine.securityGroup(groupName());
      await engine.allow(id, "10.2.0.0/16");
      expect(await verified([id], "--type", "security-group")).toMatchObject(same);
      await settle("load-balancer");
      await engine.balancer(name, "application");
      expect(await verified([name], "--type", "load-balancer")).toMatchObject(same);
      await engine.removeBalancer(name);
    });

    test("everything of a Region: one run per agent", async () => {
      const { exit, items, output } = await refresh([]);
      expect(exit, output).toBe(0);
      // Server groups, security groups and balancers everywhere; of the others those whose agents are there.
      expect(items.length).toBeGreaterThan(10);
      expect(new Set(items.map(({ verdict }) => verdict)), output).toEqual(new Set(["refreshed"]));
    });

    test("an audit finds the group that the cache lacks and the one that is gone, and mends just those", async () => {
      const [fresh, gone] = [groupName(), groupName()];
      await engine.group(gone, 1);
      await refresh([]);
      await engine.group(fresh, 1);
      await engine.removeGroup(gone);
      const audit = async (...argv: string[]) => {
        const scope = ["--account", engine.account, "--region", engine.region, "--type", "server-group"];
        const outcome = await aec(["refresh", ...scope, "--audit", "-o", "json", ...argv], {
          clock: engine.clock,
          env: {
            ...engine.awsEnv,
            AEC_CLOUDDRIVER_URL: engine.clouddriverUrl,
            AEC_LOCK_STORE: engine.redisUrl,
          },
        });
        return { exit: outcome.exit, output: outcome.stdout + outcome.stderr, json: outcome.json };
      };
      const found = await audit();
      expect(found.json(), found.output).toMatchObject({
        audit: [{ missing: expect.arrayContaining([fresh]), ghosts: expect.arrayContaining([gone]) }],
      });
      expect((await audit("--fix")).exit).toBe(0);
      const after = await audit("--exit-code");
      expect(after.exit, after.output).toBe(0);
    });

    test("a run that AWS fails is told as failed", async () => {
      engine.failClusters(true);
      try {
        const { exit, items, output } = await refresh(["contract-none-v001"]);
        expect(items[0], output).toMatchObject({
          verdict: "failed",
          detail: expect.stringContaining("without success"),
        });
        expect(exit).toBe(1);
      } finally {
        engine.failClusters(false);
      }
      // The lock now lives for the error interval; a run takes it up again.
      expect((await refresh([])).exit).toBe(0);
    });

    test("two aec at once never make the agent run beside itself", async () => {
      const name = groupName();
      await engine.group(name, 1);
      const both = await Promise.all([refresh([name]), refresh([name])]);
      for (const { items, output } of both) {
        expect(["refreshed", "unchanged"], output).toContain(items[0]?.verdict);
      }
    });
  });

  describe("agents in view", () => {
    const agents = async (...argv: string[]) => {
      const outcome = await aec(["agents", ...argv, "-o", "json"], {
        clock: engine.clock,
        env: { AEC_CLOUDDRIVER_URL: engine.clouddriverUrl, AEC_LOCK_STORE: engine.redisUrl },
      });
      return { exit: outcome.exit, output: outcome.stdout + outcome.stderr, json: outcome.json };
    };
    const list = async (pattern = "**") =>
      (await agents("list", pattern)).json<{ agents: AgentView[] }>().agents;
    const cluster = () => agent("ClusterCachingAgent");

    test("each agent with its inferred interval, its holder and its state", async () => {
      await refresh([]);
      const [view] = await list(cluster());
      expect(view).toMatchObject({
        account: engine.account,
        region: engine.region,
        kind: "ClusterCachingAgent",
        state: "ok",
        holder: expect.stringMatching(/^[^:]+:\d+@.+/),
      });
      expect(view?.intervalMs).toBeGreaterThan(27_000);
      expect(view?.intervalMs).toBeLessThan(33_000);
      expect(view?.callsPerHour).toBeGreaterThan(500);
      const every = await list();
      expect(every.length).toBeGreaterThan(15);
      expect(every.map(({ id }) => id)).toContain("CleanupDetachedInstancesAgent");
    });

    test("run: proven by a start after the request; what may change AWS is never run", async () => {
      const before = (await list(cluster()))[0]?.lastStart ?? "";
      const { exit, output, json } = await agents("run", `${engine.account}/${engine.region}/*Cluster*`);
      expect(exit, output).toBe(0);
      expect(json<{ agents: { outcome: string }[] }>().agents).toMatchObject([{ outcome: "ran" }]);
      expect((await list(cluster()))[0]?.lastStart?.localeCompare(before)).toBe(1);
      const cleanup = await agents("run", "Cleanup*");
      expect([cleanup.exit, cleanup.json()]).toMatchObject([2, { error: { code: "no-agent" } }]);
    });

    test("free: a lock of a node that is gone, and of no other", async () => {
      const name = agent("AmazonSubnetCachingAgent");
      const gone = "192.0.2.9:1@gone";
      // As a node leaves it that dies in the middle of a run, which began some time after the one before.
      await agents("run", name);
      await engine.clock.sleep(15_000);
      await redis.set(name, gone, "PX", 299_000);
      expect((await agents("free", "--yes")).json()).toMatchObject({ locks: [] });
      await engine.clock.sleep(95_000);
      expect((await list(name))[0]).toMatchObject({ state: "blocked", holder: gone });
      const living = await redis.get(cluster());
      if (living) expect((await agents("free", "--node", living, "--yes")).exit).toBe(1);
      expect((await agents("free", "--node", "192.0.2.8:1@none", "--yes")).exit).toBe(2);
      const freed = await agents("free", "--yes");
      expect(freed.exit, freed.output).toBe(0);
      expect(freed.json()).toMatchObject({ freed: [{ agent: name, freed: true }] });
      const ran = await agents("run", name);
      expect(ran.exit, ran.output).toBe(0);
      expect((await list(name))[0]?.holder).not.toBe(gone);
      expect((await agents("free", "--yes")).json()).toMatchObject({ locks: [] });
    });
  });

  describe("the lock itself", () => {
    test("an idle lock lives no longer than the interval and names its node", async () => {
      await refresh([]);
      const [value, life] = await Promise.all([
        redis.get(agent("ClusterCachingAgent")),
        redis.pttl(agent("ClusterCachingAgent")),
      ]);
      if (value !== null) {
        expect(value).toMatch(/^[^:]+:\d+@.+/);
        expect(life).toBeLessThanOrEqual(31_000);
      }
    });

    test("run-now frees an idle lock only: not a hold, a running one, or a key without a life", async () => {
      const locks = openRedisLocks(engine.redisUrl);
      const limit = 31_000;
      try {
        const key = (name: string) => `contract/test/${name}`;
        expect(await locks.runNow(key("absent"), limit)).toBe("due");
        await redis.set(key("idle"), "192.0.2.1:1@node", "PX", 20_000);
        expect(await locks.runNow(key("idle"), limit)).toBe("released");
        expect(await redis.exists(key("idle"))).toBe(0);
        await redis.set(key("running"), "192.0.2.1:1@node", "PX", 290_000);
        expect(await locks.runNow(key("running"), limit)).toBe("running");
        await redis.set(key("held"), "aec:somebody", "PX", 20_000);
        expect(await locks.runNow(key("held"), limit)).toBe("held");
        await redis.set(key("foreign"), "somebody's");
        expect(await locks.runNow(key("foreign"), limit)).toBe("foreign");
        expect(await redis.exists(key("running"), key("held"), key("foreign"))).toBe(3);
        expect(await locks.count([key("running"), key("held"), key("absent")])).toBe(2);
        expect(await locks.lock(key("held"))).toMatchObject({ holder: "aec:somebody", held: true });
        await redis.del(key("running"), key("held"), key("foreign"));
      } finally {
        locks.close();
      }
    });
  });

  describe("holds", () => {
    test("set in place of an idle lock or of none, renewed and taken back by their owner alone", async () => {
      const locks = openRedisLocks(engine.redisUrl);
      const key = (name: string) => `contract/hold/${name}Agent`;
      const [own, limit] = ["aec:contract", 31_000];
      try {
        expect(await locks.hold(key("absent"), own, 5_000, limit)).toBe("set");
        expect(await locks.hold(key("absent"), own, 50_000, 0)).toBe("set");
        expect(await redis.pttl(key("absent"))).toBeGreaterThan(40_000);
        await redis.set(key("idle"), "192.0.2.1:1@node", "PX", 20_000);
        expect(await locks.hold(key("idle"), own, 5_000, limit)).toBe("set");
        await redis.set(key("running"), "192.0.2.1:1@node", "PX", 290_000);
        expect(await locks.hold(key("running"), own, 5_000, limit)).toBe("running");
        await redis.set(key("other"), "aec:other", "PX", 20_000);
        expect(await locks.hold(key("other"), own, 5_000, limit)).toBe("held");
        await redis.set(key("foreign"), "somebody's");
        expect(await locks.hold(key("foreign"), own, 5_000, limit)).toBe("foreign");
        expect(await locks.deleteIf(key("other"), own)).toBe(false);
        expect([await locks.deleteIf(key("idle"), own), await redis.exists(key("idle"))]).toEqual([true, 0]);
        const seen = await locks.locksOf(await locks.locked());
        expect(seen.get(key("running"))).toMatchObject({ holder: "192.0.2.1:1@node", held: false });
        expect(seen.has(key("foreign"))).toBe(false);
        await locks.remember("aec:contract", "text", 5_000);
        expect(await locks.recall("aec:contract")).toBe("text");
        await redis.del(...["absent", "running", "other", "foreign"].map(key), "aec:contract");
      } finally {
        locks.close();
      }
    });

    test("a held agent does not run until its hold ends, and then at once", async () => {
      const name = agent("AmazonVpcCachingAgent");
      const lastStart = async () => {
        const list = (await call("GET", "/cache/introspection")).body as {
          id: string;
          lastExecutionStartMs: number;
        }[];
        return list.find(({ id }) => id === name)?.lastExecutionStartMs ?? 0;
      };
      const locks = openRedisLocks(engine.redisUrl);
      try {
        const outcome = await aec(["agents", "run", name, "-o", "json"], {
          clock: engine.clock,
          env: { AEC_CLOUDDRIVER_URL: engine.clouddriverUrl, AEC_LOCK_STORE: engine.redisUrl },
        });
        expect(outcome.exit, outcome.stdout).toBe(0);
        const before = await lastStart();
        expect(await locks.hold(name, "aec:contract", 45_000, 31_000)).toBe("set");
        const heldAt = engine.clock.now();
        await engine.clock.sleep(40_000);
        expect(await lastStart()).toBe(before);
        while ((await lastStart()) === before && engine.clock.now() - heldAt < 60_000)
          await engine.clock.sleep(500);
        const waited = (await lastStart()) - before;
        expect(waited).toBeGreaterThan(44_000);
        expect(waited).toBeLessThan(50_000);
      } finally {
        locks.close();
      }
    });
  });

  describe("on-demand refreshes on the Redis cache", () => {
    test("each hides the group that was refreshed before it, until the agent runs", async () => {
      const [a, b] = [groupName(), groupName()];
      await engine.group(a, 1);
      await engine.group(b, 1);
      expect((await post(a)).status).toBe(202);
      expect(await read(a)).toBe(200);
      expect((await post(b)).status).toBe(202);
      expect([await read(a), await read(b)]).toEqual([404, 200]);
      await refresh([]);
      expect([await read(a), await read(b)]).toEqual([200, 200]);
    });

    test("an unknown account, Region or name is answered 200 and nothing", async () => {
      const base = { account: engine.account, region: engine.region, serverGroupName: "contract-none-v001" };
      for (const change of [
        {},
        { account: "nobody" },
        { region: "mars-1" },
        { serverGroupName: undefined },
      ]) {
        expect(await call("POST", "/cache/aws/ServerGroup", { ...base, ...change })).toEqual({
          status: 200,
          body: { cachedIdentifiersByType: {} },
        });
      }
    });

    test("a security group's is right at once", async () => {
      const id = await engine.securityGroup(groupName());
      const { items, exit } = await refresh([id], ["--type", "security-group"], false);
      expect([exit, items[0]?.via, items[0]?.verdict]).toEqual([0, "clouddriver", "refreshed"]);
    });

    test("without a lock store the pass is waited for, and nothing is hidden", async () => {
      const [a, b] = [groupName(), groupName()];
      await engine.group(a, 1);
      await post(a);
      await engine.group(b, 1);
      const { items, output } = await refresh([b], [], false);
      expect(items[0], output).toMatchObject({ via: "pass", verdict: "refreshed" });
      expect([await read(a), await read(b)]).toEqual([200, 200]);
    });

    test("unknown things are 404 as JSON", async () => {
      const missing = await call(
        "GET",
        `/serverGroups/${engine.account}/${engine.region}/contract-none-v001`,
      );
      expect(missing).toMatchObject({ status: 404, body: { status: 404, error: "Not Found" } });
      expect((await call("GET", "/credentials/nobody")).status).toBe(404);
    });
  });
}
