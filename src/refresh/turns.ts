import type { Clock } from "../clock.ts";

/** Spaces out the calls of a key, for a caller that makes them one after the other. */
export interface Turns {
  /** Resolves when the next call may begin. */
  ready(key: string): Promise<void>;
  /** A call begins now. */
  begin(key: string): void;
}

/** At most `perSecond` beginnings a second for each key, evenly spaced: a pause is not saved up for a burst. */
export function createTurns(perSecond: number, clock: Clock, signal: AbortSignal): Turns {
  const spacingMs = 1_000 / perSecond;
  const begun = new Map<string, number>();
  return {
    async ready(key) {
      const due = (begun.get(key) ?? Number.NEGATIVE_INFINITY) + spacingMs;
      // Timers may be a moment early.
      for (let left = due - clock.now(); left > 0; left = due - clock.now()) await clock.sleep(left, signal);
    },
    begin: (key) => void begun.set(key, clock.now()),
  };
}
