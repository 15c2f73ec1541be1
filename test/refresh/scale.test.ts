import { expect, test } from "vitest";
import { autoScalingGroup } from "../../src/sandbox/aws/inventory.ts";
import { type TestSite, testSite, until } from "../helpers/site.ts";

const REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"];
const ACCOUNTS = Array.from({ length: 9 }, (_, index) => ({
  name: `team${index}`,
  accountId: "012345678901",
  regions: REGIONS,
}));
const GROUPS = 1_000;
const RATE = 4;

/** A thousand groups of one application in ten accounts, each of which sees the same four Regions. */
async function largeSite(): Promise<TestSite> {
  const site = await testSite({ regions: REGIONS, accounts: ACCOUNTS, intervalMs: 280_000 });
  for (let index = 0; index < GROUPS / 10; index += 1) {
    const name = `shop-main-v${String(index).padStart(3, "0")}`;
    site.aws.inventory.put("auto-scaling-group", REGIONS[index % 4] ?? "", autoScalingGroup(name, 2));
  }
  await until(() => site.clouddriver.runs.length >= 550, "the first pass of ten accounts");
  const everything = await site.aec(["refresh", "--provider", "aws", "--type", "server-group"]);
  expect(everything.exit, everything.stderr).toBe(0);
  return site;
}

test("a thousand groups on demand: never above the rate in any account and Region", async () => {
  const site = await largeSite();
  const posts: { place: string; at: number }[] = [];
  const watching: typeof fetch = (input, init) => {
    if (init?.method === "POST") {
      const { account, region } = JSON.parse(String(init.body));
      posts.push({ place: `${account}/${region}`, at: site.clock.now() });
    }
    return fetch(input, init);
  };
  const argv = ["refresh", "--application", "shop", "--via", "clouddriver", "--rate", String(RATE)];
  const { stderr, exit } = await site.aec(argv, { fetch: watching });
  // What shows no change waits for a pass, which does not come here.
  expect([0, 5, 8], stderr).toContain(exit);
  expect(posts).toHaveLength(GROUPS);
  const places = new Map<string, number[]>();
  for (const { place, at } of posts) places.set(place, [...(places.get(place) ?? []), at]);
  expect(places.size).toBe(40);
  for (const [place, times] of places) {
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    // The clock is asked once for the turn, and once more here, a moment later: single gaps are not exact.
    expect(Math.min(...gaps), place).toBeGreaterThanOrEqual(500 / RATE);
    const lasted = (times.at(-1) ?? 0) - (times[0] ?? 0);
    expect(lasted, place).toBeGreaterThanOrEqual((gaps.length - 0.5) * (1_000 / RATE));
  }
  // Twenty lines of the way, not a thousand.
  expect(stderr.split("\n").length).toBeLessThan(30);
  expect(stderr).toMatch(/\d+\/1000, about \S+.* left: server group/);
});
