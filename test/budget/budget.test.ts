import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callsPerMinute, type Inventory, passCosts } from "../../src/budget/model.ts";
import { autoScalingGroup } from "../../src/sandbox/aws/inventory.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { testAws } from "../helpers/aws.ts";
import { REGION, testSite, until } from "../helpers/site.ts";

/** What `npm run bench:events` makes in each Region. */
const MEASURED: Inventory = {
  serverGroups: 50,
  instances: 50,
  launchConfigurations: 0,
  launchTemplates: 1,
  loadBalancers: 10,
  listeners: 10,
  targetGroups: 10,
  classicLoadBalancers: 5,
  scalingPolicies: 0,
  alarms: 0,
  stacks: 0,
  functions: 0,
};

interface Budget {
  places: {
    savedPercent: number;
    tightest: { verdict: string };
    proposedTightest: { verdict: string };
  }[];
  total: { now: number; proposed: number };
}

describe("the model of what polling costs", () => {
  test.each([
    // AWS calls a minute of one Region, counted on the real engine: 399.3, 46 and 39.8 of four.
    [30_000, "ELB v2", 99.8],
    [30_000, "ELB classic", 21.5],
    [300_000, "ELB v2", 13],
    [300_000, "ELB classic", 2.75],
  ] as const)("every %i ms, %s: within a twentieth of what was counted", (intervalMs, api, counted) => {
    // Twelve minutes hold 2.5 periods of 300 s: what was counted is of three passes at the most.
    const model = callsPerMinute(passCosts(MEASURED, true), () => intervalMs)[api];
    expect(Math.abs(model - counted) / counted).toBeLessThan(intervalMs === 30_000 ? 0.05 : 0.25);
  });

  test("property: more of anything never costs less, and a longer interval never more", () => {
    const counts = fc.record(
      Object.fromEntries(Object.keys(MEASURED).map((key) => [key, fc.nat(5_000)])),
    ) as unknown as fc.Arbitrary<Inventory>;
    const total = (inventory: Inventory, intervalMs: number) =>
      Object.values(callsPerMinute(passCosts(inventory, true), () => intervalMs)).reduce((a, b) => a + b, 0);
    fc.assert(
      fc.property(
        counts,
        fc.constantFrom(...(Object.keys(MEASURED) as (keyof Inventory)[])),
        fc.integer({ min: 10_000, max: 900_000 }),
        (inventory, key, intervalMs) => {
          const once = total(inventory, intervalMs);
          const more = { ...inventory, [key]: inventory[key] + 100 };
          // A pass that is slowed by Clouddriver's limiter is begun less often: its own calls grow no further.
          expect(total(more, intervalMs)).toBeGreaterThanOrEqual(once * 0.99);
          expect(total(inventory, intervalMs * 2)).toBeLessThanOrEqual(once);
        },
      ),
    );
  });
});

describe("aec budget", () => {
  const file = (content: string, config?: string) => {
    const cwd = temporaryDirectory();
    if (config !== undefined) writeFileSync(join(cwd, "aec.yml"), config);
    writeFileSync(join(cwd, "accounts.yml"), content);
    return (...argv: string[]) => aec(["budget", "--inventory", "accounts.yml", ...argv], { cwd });
  };
  const BIG = `
- { account: prod, region: us-east-1, serverGroups: 50, instances: 50, loadBalancers: 10, targetGroups: 10, classicLoadBalancers: 5 }
- { account: big, region: us-east-1, serverGroups: 900, loadBalancers: 200, targetGroups: 300 }
`;

  test("from a file: who is throttled, and what another interval or mode events saves", async () => {
    const budget = file(BIG);
    const polling = (await budget("-o", "json")).json<Budget>();
    expect(polling.places.map(({ tightest }) => tightest.verdict)).toEqual(["fits", "throttles"]);
    expect(polling.places.map((place) => place.proposedTightest.verdict)).toEqual(["fits", "fits"]);
    expect(polling.places[0]?.savedPercent).toBeGreaterThan(85);
    // What no event tells of is polled on, unless a rule says otherwise.
    const config = `version: 1
environments:
  default:
    polling:
      floor: 15m
      rules:
        - { agents: "**/LaunchConfigCachingAgent", interval: 15m }
        - { agents: "AmazonInstanceTypeCachingAgent/**", interval: 1h }
`;
    const events = ["--events", "--changes-per-hour", "60", "-o", "json"];
    const [plain, tuned] = [await budget(...events), await file(BIG, config)(...events)];
    expect(plain.json<Budget>().total.now).toBe(polling.total.now);
    expect(plain.json<Budget>().total.proposed).toBeLessThan(polling.total.now / 2);
    expect(tuned.json<Budget>().total.proposed).toBeLessThan(polling.total.proposed);
    const { stdout } = await budget("--account", "big", "--propose", "10m");
    expect(stdout).toMatch(/big +us-east-1 .*throttles/);
    expect(stdout).not.toContain("prod");
    expect(stdout).toContain("with polling every 10m");
  });

  test("from the cache", async () => {
    const site = await testSite();
    for (const [name, type] of [
      ["web", "application"],
      ["old", "classic"],
    ] as const)
      site.aws.inventory.put("load-balancer", REGION, { name, type, vpcId: "vpc-1", scheme: "internal" });
    await until(() => site.clouddriver.cache.all("load-balancer").length === 2, "the balancers");
    const { exit, json } = await site.aec(["budget", "-o", "json"]);
    expect(exit).toBe(0);
    expect(json<{ places: object[] }>().places).toMatchObject([{ account: "prod", region: REGION }]);
  });

  test("from AWS: as from a file with the same counts", async () => {
    const { run, aws } = await testAws();
    aws.inventory.put("auto-scaling-group", REGION, autoScalingGroup("app-v001", 3));
    aws.inventory.put("launch-template", REGION, { id: "lt-1", name: "web", state: "1" });
    for (const name of ["web", "shop"])
      aws.inventory.put("load-balancer", REGION, {
        name,
        type: "application",
        vpcId: "vpc-1",
        scheme: "internal",
        targetGroups: [`${name}-1`, `${name}-2`],
      });
    const counted = await run("budget --aws -o json");
    const counts = "serverGroups: 1, instances: 3, launchTemplates: 1, loadBalancers: 2, targetGroups: 4";
    const same = await file(`- { account: "${aws.accountId}", region: ${REGION}, ${counts} }`)("-o", "json");
    expect(counted.exit, counted.stderr).toBe(0);
    expect(counted.json<Budget>()).toEqual(same.json<Budget>());
    aws.fault({ kind: "denied", action: "DescribePolicies" });
    const denied = await run("budget --aws");
    expect([denied.exit, denied.stderr]).toEqual([
      4,
      expect.stringContaining("autoscaling:DescribePolicies"),
    ]);
  });

  test.each([
    ["- { account: prod }", [], "region"],
    ["- { account: prod, region: r, serverGroups: -1 }", [], "serverGroups"],
    ["- { account: prod, region: r, servergroups: 1 }", [], "servergroups"],
    ["[", [], "cannot read"],
    [BIG, ["--account", "nobody"], "no AWS account nobody"],
    [BIG, ["--events", "--propose", "5m"], "name one"],
    [BIG, ["--aws"], "two inventories"],
    [BIG, ["--events", "--changes-per-hour", "many"], "not a number"],
    [BIG, ["--changes-per-hour", "9"], "goes with --events"],
    [BIG, ["--propose", "0s"], "no agent polls more often"],
  ])("wrong use: %s %j", async (content, argv, problem) => {
    const { exit, stderr } = await file(content)(...argv);
    expect([exit, stderr]).toEqual([2, expect.stringContaining(problem)]);
  });
});
