import { expect, test } from "vitest";
import { createDebounce } from "../../src/debounce.ts";
import { createTurns } from "../../src/refresh/turns.ts";
import { createTokenBucket } from "../../src/token-bucket.ts";

const HOUR_MS = 3_600_000;

/** A clock that can be set; its sleeps end at once and are written down. */
function settable() {
  const slept: number[] = [];
  let now = Date.UTC(2026, 10, 21);
  return {
    slept,
    set: (ms: number) => {
      now += ms;
    },
    now: () => now,
    async sleep(ms: number) {
      slept.push(ms);
      now += ms;
    },
  };
}
const { signal } = new AbortController();

test("set back an hour: no window, no bucket and no pause gets longer by it", async () => {
  const clock = settable();
  const bucket = createTokenBucket(2, 500, clock);
  const debounce = createDebounce<number>(clock, 2_000, signal);
  const turns = createTurns(2, clock, signal);
  turns.begin("a");
  await debounce("a", async () => 1);
  clock.set(-HOUR_MS);
  expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
  await bucket.take(signal);
  await turns.ready("a");
  await debounce("a", async () => 2);
  expect(Math.max(...clock.slept)).toBeLessThanOrEqual(2_000);
});

test("set forward an hour: the bucket is full, and no fuller", () => {
  const clock = settable();
  const bucket = createTokenBucket(2, 500, clock);
  bucket.tryTake();
  clock.set(HOUR_MS);
  expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
});
