import type { Clouddriver } from "../clouddriver/client.ts";
import { failure } from "../errors.ts";
import type { LockStore } from "./stores/store.ts";

/** So many agents always hold some locks between them. */
const ENOUGH_AGENTS = 5;

/**
 * Finds out, by reading alone, that a lock store is not the one of this Clouddriver's scheduler, before anything is
 * waited for or written. Throws with what it is instead, as far as that shows.
 */
export async function assertOwnLockStore(
  locks: LockStore,
  clouddriver: Pick<Clouddriver, "executions">,
): Promise<void> {
  const { byAgent } = await clouddriver.executions();
  const agents = [...byAgent.keys()];
  if ((await locks.count(agents)) > 0) return;
  // Other schedulers leave introspection empty (the sort and pubsub runners bypass it).
  const other = await locks.otherScheduler();
  if (other !== undefined) {
    throw failure("scheduler-unsupported", `this lock store belongs to Clouddriver's ${other} scheduler`, {
      detail: "its agents can be neither run nor held from outside",
      hint: "leave --lock-store out: on demand, or by waiting for the next pass",
    });
  }
  if (agents.length < ENOUGH_AGENTS) return;
  throw failure(
    "lock-store-foreign",
    `none of Clouddriver's ${agents.length} agents has a lock in this lock store`,
    {
      hint: "name the redis.connection of Clouddriver itself, with its database number: redis://HOST:6379/N",
    },
  );
}
