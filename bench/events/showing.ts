import type { Told } from "../../test/real/aws-messages.ts";
import type { Change } from "./deployment.ts";
import { pause } from "./figures.ts";

export interface Shown {
  what: string;
  /** From the change to the cache that shows it, ms; undefined: never. */
  changeMs: number | undefined;
  /** From the last event of the change, ms. */
  deliveryMs: number | undefined;
}

/** Stock polling at 300 s shows everything within that. */
export const SHOWN_WITHIN_MS = 330_000;
const LOOK_MS = 200;

/** Makes a change, tells of it as late as is said, ms, and looks until the cache shows it. */
export async function showing(
  { what, make, shown }: Change,
  {
    url,
    publish,
    lateMs,
  }: { url: string; publish(told: Told): Promise<void>; lateMs(told: Told, which: string): number },
): Promise<{ showed: Promise<Shown> }> {
  const changedAt = Date.now();
  const told = await make();
  const lates = told.map((one, index) => lateMs(one, `${what}/${changedAt}/${index}`));
  const telling = Promise.all(
    told.map(async (one, index) => {
      await pause(changedAt + (lates[index] ?? 0) - Date.now());
      await publish(one);
    }),
  );
  const look = async (): Promise<Shown> => {
    while (Date.now() < changedAt + SHOWN_WITHIN_MS) {
      if (await shown(url).catch(() => false)) {
        const changeMs = Date.now() - changedAt;
        await telling;
        return { what, changeMs, deliveryMs: Math.max(0, changeMs - Math.max(0, ...lates)) };
      }
      await pause(LOOK_MS);
    }
    return { what, changeMs: undefined, deliveryMs: undefined };
  };
  return { showed: look() };
}
