import fc from "fast-check";
import { expect, test } from "vitest";
import { createDebounce } from "../../src/debounce.ts";
import { manualClock } from "../helpers/manual-clock.ts";

test("the first call runs at once, those within the window share one trailing run", async () => {
  const clock = manualClock();
  const starts: number[] = [];
  const debounce = createDebounce<number>(clock, 2_000, new AbortController().signal);
  const run = async () => starts.push(clock.now());
  const origin = clock.now();
  const first = debounce("a", run);
  const more = [debounce("a", run), debounce("a", run)];
  void debounce("b", run);
  await first;
  await clock.advance(5_000);
  await Promise.all(more);
  expect(starts.map((at) => at - origin)).toEqual([0, 0, 2_000]);
});

test("a run that has not begun serves those who come meanwhile, and only those", async () => {
  const clock = manualClock();
  const starts: number[] = [];
  const debounce = createDebounce<number>(clock, 0, new AbortController().signal);
  const origin = clock.now();
  const run = async (notBegun: (atMs: number) => void) => {
    await clock.sleep(500);
    notBegun(clock.now());
    starts.push(clock.now() - origin);
    await clock.sleep(1_000);
    return starts.length;
  };
  const first = debounce("a", run);
  await clock.advance(400);
  const meanwhile = debounce("a", run);
  await clock.advance(400);
  const late = debounce("a", run);
  await clock.advance(5_000);
  expect(await Promise.all([first, meanwhile, late])).toEqual([1, 1, 2]);
  expect(starts).toEqual([500, 2_000]);
});

test("a failed run fails those who wait for it, and the next one runs all the same", async () => {
  const clock = manualClock();
  const debounce = createDebounce<string>(clock, 1_000, new AbortController().signal);
  const first = debounce("a", () => Promise.reject(new Error("down")));
  const second = debounce("a", async () => "up");
  await expect(first).rejects.toThrow("down");
  await clock.advance(1_000);
  expect(await second).toBe("up");
});

test("property: every call is served by a run that started after it, runs never overlap, and windows hold", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          wait: fc.integer({ min: 0, max: 3_000 }),
          waits: fc.integer({ min: 0, max: 2_000 }),
          lasts: fc.integer({ min: 0, max: 5_000 }),
        }),
        {
          minLength: 1,
          maxLength: 12,
        },
      ),
      async (calls) => {
        const clock = manualClock();
        const debounce = createDebounce<number>(clock, 2_000, new AbortController().signal);
        const runs: { start: number; end: number }[] = [];
        const windows: number[] = [];
        const served: Promise<[asked: number, run: number]>[] = [];
        for (const { wait, waits, lasts } of calls) {
          await clock.advance(wait);
          const asked = clock.now();
          const result = debounce("agent", async (notBegun) => {
            const wanted = clock.now();
            await clock.sleep(waits);
            const start = clock.now();
            notBegun(start);
            windows.push(wanted);
            const index = runs.push({ start, end: Number.POSITIVE_INFINITY }) - 1;
            await clock.sleep(lasts);
            runs[index] = { start, end: clock.now() };
            return start;
          });
          served.push(result.then((start) => [asked, start]));
        }
        await clock.advance(60_000);
        for (const [asked, start] of await Promise.all(served)) expect(start).toBeGreaterThanOrEqual(asked);
        runs.slice(1).forEach((run, index) => {
          expect(run.start).toBeGreaterThanOrEqual(runs[index]?.end ?? 0);
        });
        windows.slice(1).forEach((wanted, index) => {
          expect(wanted - (windows[index] ?? 0)).toBeGreaterThanOrEqual(2_000);
        });
        expect(runs.length).toBeLessThanOrEqual(calls.length);
      },
    ),
    { numRuns: 25 },
  );
});
