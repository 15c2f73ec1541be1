import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createLosses } from "../../src/serve/holding/losses.ts";
import { manualClock } from "../helpers/manual-clock.ts";

const BEAT_MS = 60_000;

/** So many replicas that share what they mark, each with what it took for lost. */
function replicas(count: number) {
  const clock = manualClock();
  const marks = new Map<string, number>();
  return {
    clock,
    all: Array.from({ length: count }, () => {
      const stopper = new AbortController();
      const lost: string[] = [];
      const leases = {
        mark: async (name: string, lifeMs: number) => void marks.set(name, clock.now() + lifeMs),
        marked: async (name: string) => (marks.get(name) ?? 0) > clock.now(),
      };
      const scheduler = {
        leases,
        coverage: { forget() {} },
        floorPass: async (why: string) => void lost.push(why),
      };
      const log = pino({ enabled: false });
      const losses = createLosses(() => scheduler as never, BEAT_MS, clock, stopper.signal, log);
      const expecting = losses.expectHeartbeats();
      onTestFinished(async () => {
        stopper.abort();
        await expecting;
      });
      return { losses, lost };
    }),
  };
}

test("heartbeats that one replica gets are enough for the others; when none gets any, all know", async () => {
  const { clock, all } = replicas(2);
  const [first, second] = all;
  for (let beat = 0; beat < 10; beat += 1) {
    first?.losses.heard("topic by sns");
    await clock.advance(BEAT_MS);
  }
  expect([first?.lost, second?.lost]).toEqual([[], []]);
  await clock.advance(3 * BEAT_MS);
  expect(first?.lost).toEqual([expect.stringContaining("from topic by sns")]);
  expect(second?.lost).toEqual([expect.stringContaining("from any topic")]);
});

test("each way that they came by is expected: one that falls silent is told, beside one that goes on", async () => {
  const { clock, all } = replicas(1);
  const [replica] = all;
  replica?.losses.heard("topic by eventbridge");
  for (let beat = 0; beat < 6; beat += 1) {
    replica?.losses.heard("topic by sns");
    await clock.advance(BEAT_MS);
  }
  expect(replica?.lost.length).toBeGreaterThan(0);
  expect(new Set(replica?.lost.map((why) => why.replace(/^.* from /, "")))).toEqual(
    new Set(["topic by eventbridge"]),
  );
});
