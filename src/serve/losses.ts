import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import type { Scheduler } from "./scheduler.ts";

/** What is done about events that may have been lost. */
export interface Losses {
  /** Before this process was there; ends when it is made up for. */
  beforeStart(): Promise<void>;
  /** Stock polling comes back until events have proven themselves anew; true when a pass has made up for it. */
  lost(why: string): Promise<boolean>;
  /** A heartbeat arrived. */
  heard(): void;
  /** Takes missing heartbeats for lost events. Runs until the signal aborts. */
  expectHeartbeats(everyMs: number): Promise<void>;
}

const AGAIN_MS = 15_000;
/** So many in a row are no accident. */
const MISSED_HEARTBEATS = 3;

export function createLosses(
  scheduler: () => Pick<Scheduler, "coverage" | "floorPass">,
  clock: Clock,
  signal: AbortSignal,
  log: Logger,
): Losses {
  let heardAt = clock.now();

  const madeUp = async (why: string): Promise<boolean> => {
    try {
      await scheduler().floorPass(why);
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn({ why, problem: messageOf(error) }, "the pass could not be made");
      return false;
    }
  };
  const lost = (why: string): Promise<boolean> => {
    log.error({ why }, "events may be lost: nothing is proven any more, every agent keeps its own pace");
    scheduler().coverage?.forget();
    return madeUp(why);
  };
  return {
    lost,
    heard() {
      heardAt = clock.now();
    },
    async beforeStart() {
      while (!signal.aborted && !(await madeUp("at start")))
        await clock.sleep(AGAIN_MS, signal).catch(() => {});
    },
    async expectHeartbeats(everyMs) {
      heardAt = clock.now();
      while (!signal.aborted) {
        await clock.sleep(everyMs, signal).catch(() => {});
        const silentMs = clock.now() - heardAt;
        if (signal.aborted || silentMs < MISSED_HEARTBEATS * everyMs) continue;
        await lost(`no heartbeat for ${Math.round(silentMs / 1_000)} s`);
        heardAt = clock.now();
      }
    },
  };
}
