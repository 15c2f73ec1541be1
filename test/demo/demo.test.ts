import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SeenChange } from "../../src/demo/changes.ts";
import type { DemoReport } from "../../src/demo/story.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

const machines = process.env.TMPDIR;
let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
  process.env.TMPDIR = directory;
});
afterAll(() => {
  if (machines === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = machines;
});
const leftovers = () => readdirSync(directory).filter((name) => name.startsWith("aec-demo-"));

/** Nearest rank, written anew: the report's own figures are checked with it. */
function percentile(changes: SeenChange[], via: string, share: number): number {
  const times = changes
    .filter((change) => change.via === via)
    .map(({ changedAtMs, visibleAtMs }) => (visibleAtMs ?? Number.NaN) - changedAtMs)
    .sort((a, b) => a - b);
  return times[Math.ceil(times.length * share) - 1] ?? Number.NaN;
}

test("the whole story, checked step by step, with figures that can be computed again", async () => {
  const { exit, json, stdout, stderr } = await aec(["demo", "-o", "json"]);
  expect(exit, stdout + stderr).toBe(0);
  const report = json<DemoReport>();
  expect(report.simulated).toBe(true);
  expect(report.steps.map(({ name, ok }) => [name, ok])).toEqual([
    ["install", true],
    ["install again", true],
    ["polling", true],
    ["sns create", true],
    ["changes", true],
    ["refresh", true],
    ["run on event", true],
    ["burst", true],
  ]);
  expect(report.runOnEvent.quiet.runs).toBeLessThanOrEqual(1);
  expect(report.runOnEvent.burst).toMatchObject({ changes: 100 });
  expect(report.runOnEvent.burst.runs).toBeLessThan(10);
  expect(report.changes).toHaveLength(24);
  for (const via of ["events", "polling"] as const) {
    expect(report.latencyMs[via]).toEqual({
      p50: percentile(report.changes, via, 0.5),
      p95: percentile(report.changes, via, 0.95),
    });
  }
  // Polling in step with 31 s is half a period late on average; events take one tick of the scheduler.
  expect(report.latencyMs.polling.p50).toBeGreaterThan(5_000);
  expect(report.latencyMs.events.p50).toBeLessThan(report.latencyMs.polling.p50 / 2);
  expect(report.awsCalls.events).toBeLessThan(report.awsCalls.polling / 2);
  expect(stderr).toContain("$ aec sns create");
  expect(leftovers()).toEqual([]);
});

test("Ctrl-C ends it with 130 and cleans up", async () => {
  const interrupt = new AbortController();
  const running = aec(["demo", "--quiet"], { signal: interrupt.signal });
  setTimeout(() => interrupt.abort(), 400);
  expect((await running).exit).toBe(130);
  expect(leftovers()).toEqual([]);
});
