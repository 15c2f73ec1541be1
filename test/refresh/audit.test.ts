import { describe, expect, test } from "vitest";
import { REGION, testSite } from "../helpers/site.ts";

interface Report {
  audit: {
    type: string;
    inAws: number | null;
    inCache: number;
    missing: string[];
    ghosts: string[];
    drifted: { id: string; differences: string[] }[];
    unknown: string | null;
  }[];
  items?: { name: string; verdict: string }[];
}

describe("aec refresh --audit", () => {
  const SCOPE = ["refresh", "--account", "prod", "--audit", "-o", "json"];

  /** A cache with a group too few, and one too many: its agents do not run meanwhile. */
  async function drifted() {
    const site = await testSite({ intervalMs: 280_000 });
    site.group("app-main-v001", 1);
    expect((await site.aec(["refresh", "--account", "prod"])).exit).toBe(0);
    site.aws.inventory.remove("auto-scaling-group", REGION, "app-main-v001");
    site.group("app-main-v002", 0);
    const group = { id: "sg-0123456789abcdef0", name: "web", vpcId: "vpc-1", rules: [] };
    site.aws.inventory.put("security-group", REGION, group);
    return site;
  }

  test("equal: nothing to tell, exit 0", async () => {
    const site = await testSite({ intervalMs: 280_000 });
    const { exit, json } = await site.aec([...SCOPE, "--exit-code"]);
    expect(exit).toBe(0);
    expect(json<Report>().audit.map(({ missing, ghosts }) => [missing, ghosts])).toEqual([
      [[], []],
      [[], []],
      [[], []],
    ]);
  });

  test("what is missing and what is a ghost, groups without instances too; --fix makes them equal", async () => {
    const site = await drifted();
    const before = site.clouddriver.runs.length;
    const { exit, json } = await site.aec([...SCOPE, "--exit-code"]);
    expect(exit).toBe(3);
    expect(json<Report>().audit).toMatchObject([
      { type: "server-group", missing: ["app-main-v002"], ghosts: ["app-main-v001"], unknown: null },
      { type: "security-group", missing: ["sg-0123456789abcdef0"], ghosts: [] },
      { type: "load-balancer", missing: [], ghosts: [] },
    ]);
    expect(site.clouddriver.runs.length - before).toBeLessThan(5);
    const text = await site.aec(SCOPE.slice(0, 4));
    expect(text.stdout).toMatch(/ghost +server-group app-main-v001 in prod\/us-east-1\n[\s\S]*--fix/);

    const fixed = await site.aec([...SCOPE, "--fix"]);
    expect(fixed.exit, fixed.stdout).toBe(0);
    const verdicts = Object.fromEntries(
      fixed.json<Report>().items?.map(({ name, verdict }) => [name, verdict]) ?? [],
    );
    expect(verdicts).toEqual({
      "app-main-v001": "evicted",
      "app-main-v002": "refreshed",
      "sg-0123456789abcdef0": "refreshed",
    });
    expect((await site.aec([...SCOPE, "--exit-code"])).exit).toBe(0);
  });

  test("what both have, and not the same: drifted, with what differs; --fix mends just those", async () => {
    const site = await testSite({ intervalMs: 280_000 });
    const { inventory } = site.aws;
    const balancer = { name: "shop", type: "application", vpcId: "vpc-1", scheme: "internal" } as const;
    const group = { id: "sg-1", name: "web", vpcId: "vpc-1", rules: ["10.0.0.0/8:443"] };
    site.group("app-main-v001", 1);
    site.group("app-main-v002", 1);
    inventory.put("security-group", REGION, group);
    inventory.put("load-balancer", REGION, balancer);
    inventory.put("load-balancer", REGION, { ...balancer, name: "old", type: "classic" });
    expect((await site.aec(["refresh", "--account", "prod"])).exit).toBe(0);
    expect((await site.aec([...SCOPE, "--exit-code"])).exit).toBe(0);
    site.group("app-main-v001", 3);
    inventory.put("security-group", REGION, { ...group, rules: ["10.0.0.0/8:443", "10.1.0.0/16:80"] });
    inventory.put("load-balancer", REGION, { ...balancer, scheme: "internet-facing" });

    const { exit, json } = await site.aec([...SCOPE, "--exit-code"]);
    expect(exit).toBe(3);
    expect(json<Report>().audit).toMatchObject([
      {
        drifted: [
          {
            id: "app-main-v001",
            differences: [
              "desired is 3, the cache says 1",
              expect.stringMatching(/^instances: .*lacks i-/),
              expect.stringMatching(/^instances: .*still has i-/),
            ],
          },
        ],
      },
      { drifted: [{ id: "sg-1", differences: ["rules: the cache lacks tcp 80-80 10.1.0.0/16"] }] },
      { drifted: [{ id: "shop", differences: ["scheme is internet-facing, the cache says internal"] }] },
    ]);
    const fixed = await site.aec([...SCOPE, "--fix"]);
    expect(fixed.json<Report>().items?.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["app-main-v001", "refreshed"],
      ["sg-1", "refreshed"],
      ["shop", "refreshed"],
    ]);
    expect((await site.aec([...SCOPE, "--exit-code"])).exit).toBe(0);
  });

  test("an account that the user may not read stops it: what is hidden is not missing", async () => {
    const site = await testSite();
    site.group("app-main-v001", 1);
    // Fiat leaves what is hidden out of lists, and refuses to show it.
    const guarded: typeof fetch = async (input, init) => {
      const url = String(input);
      if (url.includes("/search?")) return Response.json([{ totalMatches: 0, results: [] }]);
      if (url.includes("/serverGroups/")) return Response.json({ error: "Forbidden" }, { status: 403 });
      return fetch(input, init);
    };
    const { exit, stdout } = await site.aec([...SCOPE, "--type", "server-group"], { fetch: guarded });
    expect(exit).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "clouddriver-denied", hint: expect.stringContaining("--spinnaker-user") },
    });
  });

  test("AWS that throttles or denies: unknown, never taken for empty", async () => {
    const site = await drifted();
    const env = { AWS_MAX_ATTEMPTS: "1" };
    site.aws.fault({ kind: "throttled", service: "autoscaling" });
    const partly = await site.aec([...SCOPE, "--fix"], { env });
    expect(partly.exit).toBe(5);
    expect(partly.json<Report>().audit[0]).toMatchObject({
      inAws: null,
      ghosts: [],
      unknown: expect.stringContaining("throttles"),
    });
    expect(partly.json<Report>().items?.map(({ name }) => name)).toEqual(["sg-0123456789abcdef0"]);
    site.aws.fault({ kind: "throttled" });
    expect((await site.aec(SCOPE, { env })).exit).toBe(1);
    site.aws.fault({ kind: "denied" });
    expect((await site.aec(SCOPE, { env })).exit).toBe(4);
  });

  test("credentials of another AWS account are never compared with the cache", async () => {
    const site = await testSite({
      accounts: [{ name: "other", accountId: "999999999999", regions: [REGION] }],
    });
    await site.aec(["refresh", "--account", "other"]);
    const audit = ["refresh", "--account", "other", "--audit", "-o", "json"];
    const { exit, json } = await site.aec(audit);
    expect(exit).toBe(1);
    for (const one of json<Report>().audit)
      expect(one).toMatchObject({ inAws: null, unknown: expect.stringContaining("not of 999999999999") });
    const verify = ["refresh", "--account", "other", "--type", "server-group", "--verify", "-o", "json"];
    expect((await site.aec(verify)).json()).toMatchObject({ items: [{ verdict: "failed" }] });
  });

  test("wrong use", async () => {
    const site = await testSite();
    expect((await site.aec([...SCOPE, "--type", "instance"])).exit).toBe(2);
    expect((await site.aec(["refresh", "app", "--account", "prod", "--audit"])).exit).toBe(2);
    expect((await site.aec(["refresh", "--account", "prod", "--fix"])).exit).toBe(2);
  });
});
