import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";

/** Looks again and again while this replica leads, until the signal aborts; of failures in a row the first is told. */
export async function keepLooking(
  look: () => Promise<void>,
  {
    leads,
    pauseMs,
    failed,
    clock,
    signal,
  }: {
    /** One replica looks. */
    leads(): boolean;
    /** Until the next look, after so many failures in a row. */
    pauseMs(failures: number): number;
    failed(problem: string): void;
    clock: Clock;
    signal: AbortSignal;
  },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (leads()) await look();
      failures = 0;
    } catch (error) {
      if (failures === 0 && !signal.aborted) failed(messageOf(error));
      failures += 1;
    }
    await clock.sleep(pauseMs(failures), signal).catch(() => {});
  }
}
