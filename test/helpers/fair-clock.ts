import type { Clock } from "../../src/clock.ts";

/** More real time than that at once is a stall of the machine, in which nothing here could have happened. */
const STALL_MS = 20;
const TICK_MS = 1;

interface Sleeper {
  due: number;
  wake(): void;
}

/**
 * Time that runs `speed` times as fast, and stands still while this process is held up: everything of a test's site
 * runs in it, so that a busy machine makes the test slower, and nothing in it late.
 */
export function fairClock(speed: number): Clock {
  let now = Date.now();
  let seen = performance.now();
  let sleepers: Sleeper[] = [];
  let ticking = false;

  const advance = () => {
    const real = performance.now();
    now += Math.min(real - seen, STALL_MS) * speed;
    seen = real;
  };
  const tick = () => {
    advance();
    const due = sleepers
      .filter((sleeper) => sleeper.due <= now)
      .toSorted((one, other) => one.due - other.due);
    if (due.length > 0) sleepers = sleepers.filter((sleeper) => sleeper.due > now);
    for (const sleeper of due) sleeper.wake();
    if (sleepers.length > 0) setTimeout(tick, TICK_MS);
    else ticking = false;
  };
  return {
    now() {
      advance();
      return Math.round(now);
    },
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        advance();
        const abort = () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          due: now + ms,
          wake() {
            signal?.removeEventListener("abort", abort);
            resolve();
          },
        };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", abort, { once: true });
        if (ticking) return;
        ticking = true;
        setTimeout(tick, TICK_MS);
      });
    },
  };
}
