import type { Clock } from "../clock.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { Sighting } from "./sighting.ts";
import type { LockStore } from "./stores/store.ts";

/**
 * Reads introspection and the locks; without a store there are no locks to see. `everyLock` also finds agents that
 * introspection does not know: those that never succeeded, and those that cache nothing.
 */
export async function sight(
  clouddriver: Pick<Clouddriver, "executions">,
  locks: LockStore | undefined,
  clock: Clock,
  configuredMs: number | undefined,
  everyLock: boolean,
): Promise<Sighting> {
  const [{ byAgent, serverTime }, locked] = await Promise.all([
    clouddriver.executions(),
    everyLock && locks ? locks.locked() : [],
  ]);
  return {
    executions: byAgent,
    locks: (await locks?.locksOf([...new Set([...byAgent.keys(), ...locked])])) ?? new Map(),
    // The Date header is the end of its second.
    now: serverTime === undefined ? clock.now() : serverTime - 500,
    configuredMs,
  };
}
