import type { Keeper } from "../../polling/live/keeper.ts";
import { SERVE, wishFor } from "../../polling/live/wishes.ts";
import type { PaceChange } from "../receiving/handle.ts";

/** How often agents still run by themselves where AWS throttles. */
const FLOOR_MS = 5 * 60_000;
/** Alarms that never end must not keep polling slow for good. */
const FOR_MS = 60 * 60_000;

/** Polls less where AWS throttles, and as before when that is over; what an operator asked for is never undone. */
export async function slowFloor(
  keeper: Keeper,
  now: number,
  { account, region, throttled, reason }: PaceChange,
): Promise<void> {
  const agents = `${account}/${region}/**`;
  const present = keeper.wishes().find((wish) => wish.agents === agents);
  if (!throttled) {
    if (present?.owner === SERVE) await keeper.release(agents);
    return;
  }
  const wish = wishFor(`${account}/${region}/ClusterCachingAgent`, keeper.wishes(), now);
  const slowerAlready = wish && wish.owner !== SERVE && (wish.intervalMs ?? FOR_MS) >= FLOOR_MS;
  if (slowerAlready || (present && present.owner !== SERVE)) return;
  const until = now + FOR_MS;
  await keeper.wish({ agents, intervalMs: FLOOR_MS, until, owner: SERVE, reason: reason.slice(0, 500) });
}
