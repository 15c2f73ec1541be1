import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCoverage } from "../../src/serve/coverage.ts";
import { manualClock } from "../helpers/manual-clock.ts";

const STOCK_MS = 30_000;
const FLOOR_MS = 300_000;
const PLACE = { account: "prod", region: "us-east-1" };
const item = (type: "server-group" | "security-group" | "iam-role" | "function") =>
  ({ ...PLACE, type, provider: "aws", name: "x" }) as const;
const CLUSTER = "prod/us-east-1/ClusterCachingAgent";
const BALANCERS = "prod/us-east-1/AmazonApplicationLoadBalancerCachingAgent";

describe("coverage", () => {
  test("property: an agent is left to the floor only on five events of its kind there, nearly all of them fast", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 80 }), (lags) => {
        const coverage = createCoverage(manualClock(), FLOOR_MS, STOCK_MS);
        for (const lag of lags) coverage.note(item("server-group"), lag);
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

  test("health is slow only where nothing was under way for three minutes, and never without proof of groups", async () => {
    const clock = manualClock();
    const coverage = createCoverage(clock, FLOOR_MS, STOCK_MS);
    for (let count = 0; count < 5; count += 1) coverage.note(item("security-group"), 1_000);
    expect(coverage.floorOf(BALANCERS)).toBeUndefined();
    for (let count = 0; count < 5; count += 1) coverage.note(item("server-group"), 1_000);
    expect(coverage.floorOf(BALANCERS)?.reason).toContain("nothing is under way");
    coverage.active("prod", "us-east-1");
    expect(coverage.floorOf(BALANCERS)).toBeUndefined();
    expect(coverage.floorOf(CLUSTER)).toBeDefined();
    await clock.advance(180_000);
    expect(coverage.floorOf(BALANCERS)).toBeDefined();
    coverage.forget();
    expect([coverage.floorOf(CLUSTER), coverage.all()]).toEqual([undefined, []]);
  });

  test("kinds that Orca waits for in other ways, and those of a whole account, keep their own pace", () => {
    const coverage = createCoverage(manualClock(), FLOOR_MS, STOCK_MS);
    for (let count = 0; count < 9; count += 1) {
      coverage.note(item("function"), 1_000);
      coverage.note(item("iam-role"), 1_000);
    }
    expect(coverage.floorOf("prod/us-east-1/LambdaCachingAgent")).toBeUndefined();
    expect(coverage.floorOf("prod/IamRoleCachingAgent")).toBeUndefined();
  });

  test("a site that polls more rarely than the floor is never made to poll more", () => {
    const coverage = createCoverage(manualClock(), FLOOR_MS, 600_000);
    for (let count = 0; count < 9; count += 1) coverage.note(item("server-group"), 1_000);
    expect(coverage.floorOf(CLUSTER)).toBeUndefined();
  });
});
