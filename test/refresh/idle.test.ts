import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isIdle, usualInterval } from "../../src/agents/idle.ts";

const NOW = 1_800_000_000_000;
/** An agent that started `ago` ms before and sleeps until its interval is over. */
const idle = (ago: number, interval: number) => ({ lastStartMs: NOW - ago, lifeMs: interval - ago });
/** An agent whose present run began `running` ms before, `interval` or more after the last success. */
const busy = (running: number, interval: number, timeout = 300_000) => ({
  lastStartMs: NOW - running - interval,
  lifeMs: timeout - running,
});

describe("idle or not", () => {
  test.each([
    ["stock, half way", idle(15_000, 30_000), undefined, true],
    ["no lock at all", { lifeMs: 0, lastStartMs: undefined }, undefined, true],
    ["five minutes, just ran, known", idle(3_000, 300_000), 300_000, true],
    ["five minutes, half way, known", idle(150_000, 300_000), 300_000, true],
    ["five minutes, not known", idle(150_000, 300_000), undefined, false],
    ["run again four seconds after its last start", busy(1_000, 4_000), undefined, false],
    ["stock, running for a second", busy(1_000, 31_000), undefined, false],
    ["running, with an aec.yml that says five minutes", busy(1_000, 31_000), 300_000, false],
    ["running after it failed for five minutes", busy(1_000, 300_000), 300_000, false],
    ["running for most of its timeout", busy(275_000, 31_000), undefined, false],
    ["never succeeded, near its next try", { lifeMs: 20_000, lastStartMs: undefined }, undefined, true],
    ["never ran, and holds its lock", { lifeMs: 299_000, lastStartMs: undefined }, undefined, false],
    ["ten minutes, configured", idle(100_000, 600_000), 600_000, true],
    ["ten minutes, not configured", idle(100_000, 600_000), undefined, false],
    [
      "a start in the future: clocks that differ",
      { lifeMs: 280_000, lastStartMs: NOW + 60_000 },
      undefined,
      false,
    ],
  ])("%s", (_, sample, configured, expected) => {
    expect(isIdle(sample, NOW, configured)).toBe(expected);
  });

  test("property: an agent that runs is never taken for idle, however long it failed before", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 299_000 }),
        // aec itself makes agents run again at once.
        fc.integer({ min: 3_000, max: 10_000_000 }),
        fc.integer({ min: 300_000, max: 900_000 }),
        fc.option(fc.constantFrom(30_000, 120_000, 300_000), { nil: undefined }),
        (running, sinceSuccess, timeout, configured) => {
          expect(isIdle(busy(running, sinceSuccess, timeout), NOW, configured)).toBe(false);
        },
      ),
    );
  });

  test("property: at intervals below the stock timeout an agent that sleeps is always known as idle", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10_000, max: 297_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (interval, at) => {
          expect(isIdle(idle(Math.floor(interval * at), interval), NOW, undefined)).toBe(true);
        },
      ),
    );
  });
});

describe("the interval that most agents show", () => {
  const sleeping = (interval: number) =>
    [1, 4, 9, 14, 20, 26].map((seconds) => idle(seconds * 1_000, interval));
  test("is found although some run, and not from too few", () => {
    expect(usualInterval([...sleeping(300_000), busy(1_000, 31_000)], NOW)).toBe(300_000);
    expect(usualInterval([...sleeping(30_000), busy(1_000, 31_000), busy(5_000, 31_000)], NOW)).toBe(30_000);
    expect(usualInterval(sleeping(30_000).slice(0, 4), NOW)).toBeUndefined();
  });
});
