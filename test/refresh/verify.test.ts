import { describe, expect, test } from "vitest";
import { REGION, type TestSite, testSite, until } from "../helpers/site.ts";

interface Refreshed {
  items: { name: string; verdict: string; detail: string }[];
}
const scope = ["--account", "prod", "--region", REGION, "--verify", "-o", "json"];
const refresh = async (site: TestSite, ...argv: string[]) => {
  const outcome = await site.aec(["refresh", ...argv, ...scope], { env: { AWS_MAX_ATTEMPTS: "1" } });
  return { exit: outcome.exit, items: outcome.json<Refreshed>().items, stderr: outcome.stderr };
};

describe("aec refresh --verify", () => {
  test("says that AWS shows the same, from two equal answers", async () => {
    const site = await testSite();
    site.group("app-main-v001", 2);
    const before = site.aws.requests.length;
    const { exit, items } = await refresh(site, "app-main-v001");
    expect(exit).toBe(0);
    expect(items).toMatchObject([
      { verdict: "refreshed", detail: expect.stringContaining("AWS shows the same") },
    ]);
    const asked = site.aws.requests
      .slice(before)
      .filter(({ action }) => action === "DescribeAutoScalingGroups");
    expect(asked).toHaveLength(2);
  });

  test("what AWS changed meanwhile is refreshed once more", async () => {
    const site = await testSite();
    site.group("app-main-v001", 1);
    const agent = `prod/${REGION}/ClusterCachingAgent`;
    // The group grows after the first run has read it.
    const from = site.clouddriver.runs.filter((run) => run.agent === agent).length;
    let grown = false;
    const watching: typeof fetch = (input, init) => {
      const ran = site.clouddriver.runs.filter((run) => run.agent === agent).length > from;
      if (ran && !grown && String(input).includes("/serverGroups/")) {
        grown = true;
        site.group("app-main-v001", 4);
      }
      return fetch(input, init);
    };
    const outcome = await site.aec(["refresh", "app-main-v001", ...scope], { fetch: watching });
    expect(grown).toBe(true);
    expect(outcome.json<Refreshed>().items).toMatchObject([
      { verdict: "refreshed", detail: expect.stringContaining("AWS shows the same") },
    ]);
  });

  test("a cache that stays behind is stale, with what differs", async () => {
    const site = await testSite({ intervalMs: 280_000 });
    site.group("app-main-v001", 1);
    await refresh(site, "app-main-v001");
    // An unprocessed on-demand record wins over what AWS says, as after a POST just before the pass.
    const old: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).includes("/serverGroups/")) return response;
      const body = (await response.json()) as { capacity: object };
      return Response.json({ ...body, capacity: { min: 0, max: 10, desired: 7 } });
    };
    const outcome = await site.aec(["refresh", "app-main-v001", ...scope], { fetch: old });
    expect(outcome.exit).toBe(8);
    expect(outcome.json<Refreshed>().items).toMatchObject([
      { verdict: "stale", detail: "app-main-v001: desired is 1, the cache says 7" },
    ]);
  });

  test("throttled: neither good nor stale", async () => {
    const site = await testSite();
    site.group("app-main-v001", 1);
    site.aws.fault({ kind: "throttled", service: "autoscaling" });
    const { exit, items } = await refresh(site, "app-main-v001");
    expect(exit).toBe(1);
    expect(items).toMatchObject([{ verdict: "throttled", detail: expect.stringContaining("throttles") }]);
  });

  test("everything of a kind: both sides, with what AWS alone has", async () => {
    const site = await testSite();
    site.group("app-main-v001", 1);
    const { items } = await refresh(site, "--type", "server-group");
    expect(items).toMatchObject([{ name: "*", detail: "1 cached, 1 new, 0 gone; AWS shows the same" }]);
  });

  test("services of ECS: by name, and all, though Clouddriver lists none", async () => {
    const ecs = { name: "ecs", accountId: "012345678901", regions: [REGION], provider: "ecs" as const };
    const site = await testSite({ accounts: [ecs], intervalMs: 280_000 });
    await until(() => site.clouddriver.runs.length >= 25, "the ECS agents");
    const put = (name: string, state: string) =>
      site.aws.inventory.put("ecs-service", REGION, { id: name, name, state });
    for (let number = 1; number <= 12; number += 1) put(`shop-${number}`, "1");
    // Nothing scales it: Clouddriver does not show it, and it is not missing.
    put("plain", "unscaled");
    const argv = ["--account", "ecs", "--verify", "-o", "json"];
    const one = await site.aec(["refresh", "shop-1", ...argv]);
    expect(one.json<Refreshed>().items, one.stderr).toMatchObject([
      { verdict: "refreshed", detail: expect.stringContaining("AWS shows the same") },
    ]);
    put("shop-2", "2");
    put("shop-13", "1");
    const audit = ["refresh", "--account", "ecs", "--audit", "-o", "json"];
    const differs = await site.aec([...audit, "--exit-code"]);
    expect([differs.exit, differs.json()]).toMatchObject([
      3,
      {
        audit: [
          {
            inAws: 13,
            missing: ["shop-13"],
            ghosts: [],
            drifted: [{ id: "shop-2", differences: ["taskDefinition is shop-2:2, the cache says shop-2:1"] }],
          },
        ],
      },
    ]);
    expect((await site.aec([...audit, "--fix"])).exit).toBe(0);
    const all = await site.aec(["refresh", "--type", "ecs-service", ...argv]);
    expect(all.json<Refreshed>().items).toMatchObject([
      { name: "*", detail: expect.stringContaining("what AWS has is cached so") },
    ]);
  });

  test("kinds that AWS is not asked for are not claimed to be compared", async () => {
    const site = await testSite();
    const { items } = await refresh(site, "--type", "subnet");
    expect(items[0]?.detail).not.toContain("AWS shows");
  });
});
