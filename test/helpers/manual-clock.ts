import type { Clock } from "../../src/clock.ts";

interface Sleeper {
  due: number;
  wake(): void;
}

/** Real turns of the event loop without anybody asking the clock, after which all pending I/O counts as settled. */
const QUIET_TURNS = 12;

/**
 * A clock that stands still until `advance` moves it. `advance(ms)` first lets pending I/O settle, then wakes the
 * sleepers that fall due one by one, in order, each time letting what they started settle; `advance(0)` only
 * settles. I/O within this process needs a few turns of the event loop; wait for other processes by other means.
 */
export function manualClock(
  startMs = Date.UTC(2026, 10, 20, 12),
): Clock & { advance(ms: number): Promise<void> } {
  let now = startMs;
  let asked = 0;
  let sleepers: Sleeper[] = [];

  async function settle(): Promise<void> {
    for (let quiet = 0, seen = asked; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (asked !== seen) quiet = 0;
      seen = asked;
    }
  }

  return {
    now() {
      asked++;
      return now;
    },
    sleep(ms, signal) {
      asked++;
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (ms <= 0) return resolve();
        const leave = () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener("abort", abort);
        };
        const abort = () => {
          leave();
          reject(signal?.reason);
        };
        const wake = () => {
          leave();
          resolve();
        };
        const sleeper: Sleeper = { due: now + ms, wake };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", abort, { once: true });
      });
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const [first] = sleepers.filter(({ due }) => due <= end).sort((one, other) => one.due - other.due);
        if (!first) break;
        now = first.due;
        first.wake();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}
