import type { Clock } from "./clock.ts";

/** Work for a key; `covers` says that what it has not begun yet serves everybody who asked before that time, ms. */
export type DebouncedWork<T> = (covers: (beforeMs: number) => void) => Promise<T>;

/** Runs work for a key at once, or joins the one run that follows the present one. */
export type Debounce<T> = (key: string, run: DebouncedWork<T>) => Promise<T>;

interface Lane<T> {
  startedAt: number;
  /** Those who came since, and are not covered by the present run. */
  late: { at: number; run: DebouncedWork<T>; serve(by: Promise<T>): void }[];
}

/**
 * Debounce with a leading edge: the first call of a key runs at once; all that come while it runs, or within the
 * window after its start, share one trailing run. So every call is served by a run that started after it.
 */
export function createDebounce<T>(clock: Clock, windowMs: number, signal: AbortSignal): Debounce<T> {
  const lanes = new Map<string, Lane<T>>();

  const start = (key: string, run: DebouncedWork<T>): Promise<T> => {
    const lane: Lane<T> = { startedAt: clock.now(), late: [] };
    lanes.set(key, lane);
    const result = run((beforeMs) => {
      const covered = lane.late.filter(({ at }) => at < beforeMs);
      lane.late = lane.late.filter(({ at }) => at >= beforeMs);
      for (const { serve } of covered) serve(result);
    });
    void quiet(lane, result).then(() => {
      const [next] = lane.late;
      if (next === undefined) {
        lanes.delete(key);
        return;
      }
      const trailing = start(key, next.run);
      for (const { serve } of lane.late) serve(trailing);
    });
    return result;
  };

  /** Resolves when the lane's run is over and its window has passed. */
  const quiet = async ({ startedAt }: Lane<T>, result: Promise<T>): Promise<void> => {
    await result.catch(() => {});
    // A clock that was set back must not make the window longer.
    const left = Math.min(windowMs, startedAt + windowMs - clock.now());
    // Stopping cuts the window short; what was promised still runs.
    if (left > 0) await clock.sleep(left, signal).catch(() => {});
  };

  return (key, run) => {
    const lane = lanes.get(key);
    if (lane === undefined) return start(key, run);
    return new Promise((serve) => {
      lane.late.push({ at: clock.now(), run, serve });
    });
  };
}
