import type { Clock } from "../../../src/clock.ts";

/** A clock that only `advance` moves; sleepers wake in order, each with the time it asked for. */
export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>;
}

export function manualClock(start = Date.UTC(2026, 10, 20)): ManualClock {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper = {
          at: now + ms,
          wake() {
            signal?.removeEventListener("abort", abort);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", abort, { once: true });
      }),
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = Math.min(...[...sleepers].map(({ at }) => at));
        if (next > until) break;
        now = Math.max(now, next);
        for (const sleeper of [...sleepers].filter(({ at }) => at <= now)) {
          sleepers.delete(sleeper);
          sleeper.wake();
        }
        await settle();
      }
      now = until;
    },
  };
}
