import { describe, expect, test } from "vitest";
import { createTurns } from "../../src/refresh/turns.ts";
import { manualClock } from "../helpers/manual-clock.ts";

/** Begins `count` calls of a key, one after the other, each of which lasts `callMs`. */
async function calls(
  count: number,
  key: string,
  callMs: number,
  clock: ReturnType<typeof manualClock>,
  rate: number,
) {
  const turns = createTurns(rate, clock, new AbortController().signal);
  const at: number[] = [];
  const start = clock.now();
  const lane = (async () => {
    for (let call = 0; call < count; call += 1) {
      await turns.ready(key);
      turns.begin(key);
      at.push(clock.now() - start);
      await clock.sleep(callMs);
    }
  })();
  return { at, lane };
}

describe("turns", () => {
  test("quick calls begin at the rate, evenly; slow ones one after the other", async () => {
    const clock = manualClock();
    const quick = await calls(5, "a", 100, clock, 2);
    const slow = await calls(5, "b", 900, clock, 2);
    await clock.advance(10_000);
    await Promise.all([quick.lane, slow.lane]);
    expect(quick.at).toEqual([0, 500, 1_000, 1_500, 2_000]);
    expect(slow.at).toEqual([0, 900, 1_800, 2_700, 3_600]);
  });

  test("a pause is not saved up for a burst", async () => {
    const clock = manualClock();
    const turns = createTurns(1, clock, new AbortController().signal);
    turns.begin("a");
    await clock.advance(60_000);
    await turns.ready("a");
    turns.begin("a");
    const start = clock.now();
    const next = turns.ready("a").then(() => clock.now() - start);
    await clock.advance(5_000);
    expect(await next).toBe(1_000);
  });

  test("Ctrl-C ends the wait", async () => {
    const stop = new AbortController();
    const turns = createTurns(1, manualClock(), stop.signal);
    turns.begin("a");
    const waiting = turns.ready("a");
    stop.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
  });
});
