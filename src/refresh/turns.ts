import pLimit from "p-limit";
import type { Clock } from "../clock.ts";

/** On-demand calls of each account and Region: one after the other, and spaced out. */
export interface Turns {
  /** Runs the work of a key when all that came before it is done. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Within its turn: resolves when the next call may begin. */
  ready(key: string): Promise<void>;
  /** A call begins now. */
  begin(key: string): void;
}

/** At most `perSecond` beginnings a second for each key, evenly spaced: a pause is not saved up for a burst. */
export function createTurns(perSecond: number, clock: Clock, signal: AbortSignal): Turns {
  const spacingMs = 1_000 / perSecond;
  const begun = new Map<string, number>();
  const lanes = new Map<string, ReturnType<typeof pLimit>>();
  return {
    inTurn(key, work) {
      const lane = lanes.get(key) ?? pLimit(1);
      lanes.set(key, lane);
      return lane(work);
    },
    async ready(key) {
      // A clock that was set back must not make the pause longer.
      const last = Math.min(begun.get(key) ?? Number.NEGATIVE_INFINITY, clock.now());
      const due = last + spacingMs;
      // Timers may be a moment early.
      for (let left = due - clock.now(); left > 0; left = due - clock.now())
        await clock.sleep(Math.min(left, spacingMs), signal);
    },
    begin: (key) => void begun.set(key, clock.now()),
  };
}
