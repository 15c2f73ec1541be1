import { describe, expect, test } from "vitest";
import { REGION, testSite } from "../helpers/site.ts";

interface Polling {
  agents: { id: string; intervalMs: number | null; observedIntervalMs?: number | null }[];
}

describe("aec polling get --observe", () => {
  test("tells intervals from the starts that were seen, without a lock store too", async () => {
    const site = await testSite({ intervalMs: 20_000 });
    const env = { AEC_LOCK_STORE: "" };
    const { exit, json } = await site.aec(["polling", "get", "--observe", "75s", "-o", "json"], { env });
    expect(exit).toBe(0);
    const { agents } = json<Polling>();
    const cluster = agents.find(({ id }) => id === `prod/${REGION}/ClusterCachingAgent`);
    expect(cluster).toMatchObject({ intervalMs: null });
    // An interval of 20 s is a run every 21.
    expect(cluster?.observedIntervalMs).toBeGreaterThan(19_000);
    expect(cluster?.observedIntervalMs).toBeLessThan(23_000);
    expect(agents.find(({ id }) => id.includes("KeyPair"))).toMatchObject({ observedIntervalMs: null });
  });

  test("for people: how many run how often", async () => {
    const site = await testSite({ intervalMs: 20_000 });
    const { stdout } = await site.aec(["polling", "get", "--observe", "75s"], {
      env: { AEC_LOCK_STORE: "" },
    });
    expect(stdout).toMatch(/in force: \d+ agents every 2[01]s/);
  });

  test("wrong use", async () => {
    const site = await testSite();
    const env = { AEC_CLOUDDRIVER_URL: "" };
    const argv = ["polling", "get", "--profiles-dir", ".", "--observe", "1m"];
    expect((await site.aec(argv, { env })).stderr).toContain("--clouddriver-url");
    expect((await site.aec(["polling", "get", "--observe", "soon"])).exit).toBe(2);
  });
});
