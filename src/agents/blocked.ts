import { deadNodes } from "./dead-nodes.ts";
import type { Sighting } from "./sighting.ts";
import type { LockStore } from "./stores/store.ts";

/** An agent whose lock belongs to a node that is gone. */
export interface Blocked {
  agent: string;
  node: string;
  lifeMs: number;
}

/** A living node finishes a run, and so renews a lock, far more often than that. */
export const LOOK_AGAIN_MS = 5_000;

/** Agents that dead nodes block; of one node, where it is named. */
export function blockedBy(sighting: Sighting, node?: string): Blocked[] {
  const nodes = node === undefined ? deadNodes(sighting) : new Set([node]);
  return [...sighting.locks].flatMap(([agent, { holder, lifeMs }]) =>
    holder !== undefined && nodes.has(holder) ? [{ agent, node: holder, lifeMs }] : [],
  );
}

/** Those that were blocked before too, by the same lock: one that was taken again meanwhile has more life. */
export function stillBlocked(before: readonly Blocked[], after: readonly Blocked[]): Blocked[] {
  const lives = new Map(before.map(({ agent, lifeMs }) => [agent, lifeMs]));
  return after.filter(({ agent, lifeMs }) => lifeMs < (lives.get(agent) ?? 0));
}

/** Deletes the locks that are still as they were seen. */
export function freeBlocked(locks: Pick<LockStore, "deleteIf">, blocked: readonly Blocked[]) {
  return Promise.all(
    blocked.map(async ({ agent, node, lifeMs }) => ({
      agent,
      freed: await locks.deleteIf(agent, node, lifeMs),
    })),
  );
}
