import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ResourceType } from "../../src/agents/kinds.ts";
import { type Coverage, type CoverageOptions, createCoverage } from "../../src/serve/holding/coverage.ts";

const STOCK_MS = 30_000;
const FLOOR_MS = 300_000;
const PLACE = { account: "prod", region: "us-east-1" };
const item = (type: ResourceType) => ({ ...PLACE, type, provider: "aws", name: "x" }) as const;
const CLUSTER = "prod/us-east-1/ClusterCachingAgent";
const BALANCERS = "prod/us-east-1/AmazonApplicationLoadBalancerCachingAgent";
const STATE = "prod/us-east-1/AmazonLoadBalancerInstanceStateCachingAgent";

const coverageOf = (more: Partial<CoverageOptions> = {}) =>
  createCoverage({ floorMs: FLOOR_MS, byAgents: [], canary: undefined, stockMs: STOCK_MS, ...more });
/** AWS's own time of every change. */
const AT = Date.UTC(2026, 10, 20);

const prove = (coverage: Coverage, ...types: ResourceType[]) => {
  for (const type of types)
    for (let count = 0; count < 5; count += 1) coverage.note(item(type), "service", AT, AT + 1_000);
};

describe("coverage", () => {
  test("property: an agent is left to the floor only on five events of its kind there, nearly all of them fast", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 80 }), (lags) => {
        const coverage = coverageOf();
        for (const lag of lags) coverage.note(item("server-group"), "service", AT, AT + lag);
        const last = lags.slice(-50);
        const slow = last.filter((lag) => lag >= STOCK_MS).length;
        const proven = last.length >= 5 && slow <= Math.floor(last.length * 0.05);
        expect(coverage.floorOf(CLUSTER)?.intervalMs).toBe(proven ? FLOOR_MS : undefined);
        expect(coverage.floorOf("prod/us-east-1/AmazonSecurityGroupCachingAgent")).toBeUndefined();
        expect(coverage.floorOf("prod/eu-west-1/ClusterCachingAgent")).toBeUndefined();
        expect(coverage.floorOf("other/us-east-1/ClusterCachingAgent")).toBeUndefined();
      }),
    );
  });

  test("of ECS what its services' events tell of is held; clusters, container instances and what is free are not", () => {
    const coverage = coverageOf();
    prove(coverage, "ecs-service");
    const held = (agent: string) => coverage.floorOf(`prod/us-east-1/${agent}`) !== undefined;
    expect(
      [
        "ServiceCachingAgent",
        "TaskCachingAgent",
        "TaskDefinitionCachingAgent",
        "TargetHealthCachingAgent",
      ].map(held),
    ).toEqual([true, true, true, true]);
    expect(
      ["EcsClusterCachingAgent", "ContainerInstanceCachingAgent", "TaskHealthCachingAgent"].map(held),
    ).toEqual([false, false, false]);
  });

  test("an agent of several kinds needs the proof of each, and says what is missing", () => {
    const coverage = coverageOf();
    prove(coverage, "load-balancer");
    expect([coverage.floorOf(BALANCERS), coverage.floorOf(STATE)]).toEqual([undefined, undefined]);
    expect(coverage.paceOf(BALANCERS).reason).toBe("target-group: 0 of 5 events seen");
    prove(coverage, "target-group", "server-group");
    expect(coverage.floorOf(BALANCERS)?.reason).toBe(
      "load-balancer: 95 of 100 events within 1.0 s; target-group: 95 of 100 events within 1.0 s",
    );
    expect(coverage.floorOf(STATE)).toBeDefined();
    for (let count = 0; count < 50; count += 1)
      coverage.note(item("target-group"), "service", AT, AT + 95_000);
    expect(coverage.paceOf(BALANCERS)).toEqual({
      floorMs: undefined,
      reason: "target-group: 95 of 100 events within 95.0 s, polling is as fast",
    });
    coverage.forget();
    expect([coverage.floorOf(STATE), coverage.all()]).toEqual([undefined, []]);
  });

  test("a change that another source tells of again, later, says nothing against the first", () => {
    const coverage = coverageOf();
    for (let count = 0; count < 5; count += 1) {
      const group = { ...item("server-group"), name: `web-v00${count}` };
      coverage.note(group, "service", AT, AT + 1_000);
      // Config captures it minutes later, and tells of it at once.
      coverage.note(group, "config", AT + 180_000, AT + 182_000);
      coverage.note(group, "cloudtrail", AT, AT + 80_000);
    }
    expect(coverage.floorOf(CLUSTER)).toBeDefined();
    expect(coverage.all()).toMatchObject([
      {
        events: 5,
        sources: [
          { source: "service", events: 5, p95Ms: 1_000, duplicates: 0 },
          { source: "config", events: 0, duplicates: 5 },
          { source: "cloudtrail", events: 0, duplicates: 5 },
        ],
      },
    ]);
    // Another change of the same group, of which no other source told.
    coverage.note({ ...item("server-group"), name: "web-v000" }, "cloudtrail", AT + 20_000, AT + 100_000);
    expect(coverage.floorOf(CLUSTER)).toBeUndefined();
  });

  test("AWS Config proves nothing, since it tells when it looked; what it is late with counts", () => {
    const coverage = coverageOf();
    for (let count = 0; count < 9; count += 1)
      coverage.note({ ...item("server-group"), name: `web-v00${count}` }, "config", AT, AT + 2_000);
    expect(coverage.paceOf(CLUSTER).reason).toBe("server-group: 0 of 5 events seen");
    prove(coverage, "server-group");
    expect(coverage.floorOf(CLUSTER)).toBeDefined();
    coverage.note({ ...item("server-group"), name: "api-v001" }, "config", AT, AT + 181_000);
    expect(coverage.floorOf(CLUSTER)).toBeUndefined();
  });

  test("the last pattern that matches gives the floor", () => {
    const byAgents = [
      { agents: "prod/**", floorMs: 600_000 },
      { agents: "**/*LoadBalancer*", floorMs: 900_000 },
      { agents: "staging/**", floorMs: 60_000 },
    ];
    const coverage = coverageOf({ byAgents });
    prove(coverage, "load-balancer", "target-group", "server-group");
    expect([CLUSTER, BALANCERS].map((agent) => coverage.floorOf(agent)?.intervalMs)).toEqual([
      600_000, 900_000,
    ]);
  });

  test("kinds of a whole account, and what no event tells of keep their own pace", () => {
    const coverage = coverageOf();
    prove(coverage, "function", "iam-role", "server-group");
    expect(coverage.floorOf("prod/us-east-1/LambdaCachingAgent")).toBeDefined();
    for (const agent of [
      "EcsClusterCachingAgent",
      "ReservedInstancesCachingAgent",
      "LaunchConfigCachingAgent",
    ])
      expect(coverage.paceOf(`prod/us-east-1/${agent}`)).toEqual({
        floorMs: undefined,
        reason: "no event tells of what it caches",
      });
    expect(coverage.floorOf("prod/IamRoleCachingAgent")).toBeUndefined();
    expect(coverage.floorOf("AmazonInstanceTypeCachingAgent/us-east-1")).toBeUndefined();
  });

  test("only the canary's accounts are held", () => {
    const coverage = coverageOf({ canary: ["staging"] });
    prove(coverage, "server-group");
    expect(coverage.paceOf(CLUSTER)).toEqual({
      floorMs: undefined,
      reason: "its account is not among --canary",
    });
    const all = coverageOf({ canary: ["staging", "prod"] });
    prove(all, "server-group");
    expect(all.floorOf(CLUSTER)).toBeDefined();
  });

  test("a site that polls more rarely than the floor is never made to poll more", () => {
    const coverage = createCoverage({ floorMs: FLOOR_MS, byAgents: [], canary: undefined, stockMs: 600_000 });
    prove(coverage, "server-group");
    expect(coverage.floorOf(CLUSTER)).toBeUndefined();
  });
});
