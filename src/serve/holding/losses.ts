import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { AccountRegion } from "../../refresh/items.ts";
import type { Scheduler } from "../scheduler.ts";

/** What is done about events that may have been lost. */
export interface Losses {
  /** Before this process was there; ends when it is made up for. */
  beforeStart(): Promise<void>;
  /** Stock polling comes back, there or everywhere, until events have proven themselves anew; true when a pass has made up for it. */
  lost(why: string, place?: AccountRegion): Promise<boolean>;
  /** A heartbeat arrived, by a way that it is expected by from then on. */
  heard(way: string): void;
  /** Takes heartbeats that no replica gets for lost events. Runs until the signal aborts. */
  expectHeartbeats(): Promise<void>;
}

const AGAIN_MS = 15_000;
/** So many in a row are no accident. */
const MISSED_HEARTBEATS = 3;
/** As long as none has arrived by any way. */
const ANY = "any topic";

export function createLosses(
  scheduler: () => Pick<Scheduler, "coverage" | "floorPass" | "leases">,
  heartbeatMs: number,
  clock: Clock,
  signal: AbortSignal,
  log: Logger,
): Losses {
  const heardAt = new Map<string, number>();
  const silenceMs = MISSED_HEARTBEATS * heartbeatMs;

  const madeUp = async (why: string, place?: AccountRegion): Promise<boolean> => {
    try {
      await scheduler().floorPass(why, place);
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn({ why, problem: messageOf(error) }, "the pass could not be made");
      return false;
    }
  };
  const lost = (why: string, place?: AccountRegion): Promise<boolean> => {
    log.error(
      { why, ...place },
      "events may be lost: nothing is proven there any more, every agent keeps its own pace",
    );
    scheduler().coverage?.forget(place);
    return madeUp(why, place);
  };
  return {
    lost,
    heard(way) {
      heardAt.delete(ANY);
      heardAt.set(way, clock.now());
      // A replica that has got none itself yet waits for any.
      for (const heard of [way, ANY]) void scheduler().leases?.mark(`heartbeat/${heard}`, silenceMs);
    },
    async beforeStart() {
      while (!signal.aborted && !(await madeUp("at start")))
        await clock.sleep(AGAIN_MS, signal).catch(() => {});
    },
    async expectHeartbeats() {
      if (heardAt.size === 0) heardAt.set(ANY, clock.now());
      while (!signal.aborted) {
        await clock.sleep(heartbeatMs, signal).catch(() => {});
        for (const [way, at] of heardAt) {
          const silentMs = clock.now() - at;
          if (signal.aborted || silentMs < silenceMs) continue;
          // On a queue each heartbeat comes to one replica only.
          if (await scheduler().leases?.marked(`heartbeat/${way}`)) continue;
          await lost(`no heartbeat for ${Math.round(silentMs / 1_000)} s from ${way}`);
          heardAt.set(way, clock.now());
        }
      }
    },
  };
}
