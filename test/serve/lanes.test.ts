import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { ServerGroup } from "../../src/clouddriver/client.ts";
import { createHealth, type GroupPlace } from "../../src/serve/holding/health.ts";
import { manualClock } from "../helpers/manual-clock.ts";

const PLACE: GroupPlace = { account: "prod", region: "us-east-1", type: "server-group" };
const EVERY_MS = 30_000;

/** Groups as Clouddriver shows them (an Error where it refuses), and the balancers that were looked at. */
function looking(groups: Record<string, ServerGroup | Error | undefined>) {
  const clock = manualClock();
  const stopper = new AbortController();
  const looked: string[] = [];
  const warnings: string[] = [];
  const health = createHealth({
    clouddriver: {
      serverGroup: async (_account, _region, name) => {
        const group = groups[name];
        if (group instanceof Error) throw group;
        return group;
      },
      executions: async () => ({ byAgent: new Map(), serverTime: undefined }),
    },
    balancers: {
      refresh: async (_, name) => looked.push(name) > 0,
      ofTargetGroups: async (_, targetGroups) => targetGroups.map((name) => `lb-of-${name}`),
      costMore: async () => false,
    },
    run: async () => ({ outcome: "ran", startedMs: 0, durationMs: 0 }),
    isHeld: async () => true,
    everyMs: EVERY_MS,
    clock,
    signal: stopper.signal,
    log: pino({ level: "warn" }, { write: (line: string) => void warnings.push(line) }),
  });
  onTestFinished(() => stopper.abort());
  return { clock, groups, health, looked, warnings };
}
const group = (healthState: string): ServerGroup => ({
  name: "web-v001",
  capacity: { desired: 1 },
  instances: [{ healthState }],
  targetGroups: ["web"],
});

test("a group that Clouddriver refuses to show keeps no other from being looked at, and is given up in the end", async () => {
  const { clock, health, looked, warnings } = looking({
    "secret-v001": new Error("Clouddriver refuses"),
    "web-v001": group("Down"),
  });
  health.watch(PLACE, "secret-v001");
  health.watch(PLACE, "web-v001");
  await clock.advance(2 * EVERY_MS + 1);
  expect(looked).toEqual(["lb-of-web", "lb-of-web"]);
  expect(warnings).toHaveLength(1);
  await clock.advance(31 * 60_000);
  expect(health.watched()).toEqual([]);
});

test("what is only included makes nothing busy, and is not begun anew", async () => {
  const { clock, groups, health } = looking({ "web-v001": group("Down") });
  health.include(PLACE, "web-v001");
  expect([health.watched(), health.isBusy("server-group", 60_000)]).toEqual([
    ["prod/us-east-1/web-v001"],
    false,
  ]);
  health.watch(PLACE, "web-v001");
  health.include(PLACE, "web-v001");
  expect([health.isBusy("server-group", 60_000), health.isBusy("ecs-service", 60_000)]).toEqual([
    true,
    false,
  ]);
  groups["web-v001"] = group("Up");
  await clock.advance(EVERY_MS + 1);
  expect(health.watched()).toEqual([]);
});
