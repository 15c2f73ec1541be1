import type { Clock } from "../clock.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { LockStore } from "./stores/store.ts";
import type { Sighting } from "./view.ts";

/** Reads introspection and the locks side by side; without a store there are no locks to see. */
export async function sight(
  clouddriver: Pick<Clouddriver, "executions">,
  locks: LockStore | undefined,
  clock: Clock,
  configuredMs: number | undefined,
): Promise<Sighting> {
  const { byAgent, serverTime } = await clouddriver.executions();
  return {
    executions: byAgent,
    locks: (await locks?.locks([...byAgent.keys()])) ?? new Map(),
    // The Date header is the end of its second.
    now: serverTime === undefined ? clock.now() : serverTime - 500,
    configuredMs,
  };
}
