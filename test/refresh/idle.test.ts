import fc from "fast-check";
import { expect, test } from "vitest";
import { inferInterval } from "../../src/agents/idle.ts";

const NOW = 1_800_000_000_000;
/** An agent that started `ago` ms before and sleeps until its interval is over. */
const idle = (ago: number, interval: number) => ({ lastStartMs: NOW - ago, lifeMs: interval - ago });
/** An agent whose present run began `running` ms before, one interval after the last one that introspection knows. */
const busy = (running: number, interval: number, timeout = 300_000) => ({
  lastStartMs: NOW - running - interval,
  lifeMs: timeout - running,
});

test.each([
  ["idle agents tell their interval", [idle(1_000, 60_000), idle(20_000, 60_000)], 60_000],
  ["five minutes, all in step", [idle(9_000, 300_000), idle(9_100, 300_000), idle(8_900, 300_000)], 300_000],
  ["all running at once: not 330 s", [busy(500, 30_000), busy(900, 30_000), busy(100, 30_000)], 30_000],
  [
    "one idle pair among running ones",
    [busy(500, 45_000), busy(900, 45_000), idle(1_000, 45_000), idle(9_000, 45_000)],
    45_000,
  ],
  ["ten minutes, spread", [idle(10_000, 600_000), idle(300_000, 600_000)], 600_000],
  ["one agent alone proves nothing", [idle(1_000, 120_000)], 30_000],
  ["nothing seen", [], 30_000],
])("%s", (_, samples, expected) => {
  expect(inferInterval(samples, NOW)).toBe(expected);
});

test("property: agents that all run at the stock timeout are never taken for idle", () => {
  const run = fc.record({
    running: fc.integer({ min: 0, max: 50_000 }),
    late: fc.integer({ min: 0, max: 1_500 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 240 }), fc.array(run, { maxLength: 12 }), (seconds, runs) => {
      const samples = runs.map(({ running, late }) => busy(running, seconds * 1_000 + late));
      expect(inferInterval(samples, NOW)).toBe(30_000);
    }),
  );
});
