import type { Clock } from "./clock.ts";

/** Runs work for a key at once, or joins the one run that follows the present one. */
export type Debounce<T> = (key: string, run: () => Promise<T>) => Promise<T>;

interface Lane<T> {
  /** When the present run started, and its end. */
  startedAt: number;
  running: Promise<unknown>;
  trailing: Promise<T> | undefined;
}

/**
 * Debounce with a leading edge: the first call of a key runs at once; all that come while it runs, or within the
 * window after its start, share one trailing run. So every call is served by a run that started after it.
 */
export function createDebounce<T>(clock: Clock, windowMs: number, signal: AbortSignal): Debounce<T> {
  const lanes = new Map<string, Lane<T>>();

  const start = (key: string, run: () => Promise<T>): Promise<T> => {
    const result = run();
    const lane: Lane<T> = { startedAt: clock.now(), running: result.catch(() => {}), trailing: undefined };
    lanes.set(key, lane);
    void quiet(lane).then(() => {
      if (lanes.get(key) === lane && lane.trailing === undefined) lanes.delete(key);
    });
    return result;
  };

  /** Resolves when the lane's run is over and its window has passed. */
  const quiet = async (lane: Lane<T>): Promise<void> => {
    await lane.running;
    // A clock that was set back must not make the window longer.
    const left = Math.min(windowMs, lane.startedAt + windowMs - clock.now());
    // Stopping cuts the window short; what was promised still runs.
    if (left > 0) await clock.sleep(left, signal).catch(() => {});
  };

  return (key, run) => {
    const lane = lanes.get(key);
    if (lane === undefined) return start(key, run);
    lane.trailing ??= quiet(lane).then(() => start(key, run));
    return lane.trailing;
  };
}
