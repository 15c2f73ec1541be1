import type { Logger } from "pino";
import { blockedBy, freeBlocked, LOOK_AGAIN_MS, stillBlocked } from "../../agents/blocked.ts";
import type { Sighting } from "../../agents/sighting.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";

/** All locks are looked for, which on a large Redis is not little. */
const LOOK_MS = 30_000;

/**
 * Frees the agents that a node blocks which was ended in the middle of their runs: their locks would live for up to
 * five minutes. Seen twice, as `agents free` does. Runs until the signal aborts.
 */
export async function heal({
  leads,
  locks,
  see,
  healed,
  clock,
  signal,
  log,
}: {
  /** One replica looks. */
  leads(): boolean;
  locks: LockStore;
  see(): Promise<Sighting>;
  /** Told of each agent that was freed. */
  healed(agent: string): void;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  const look = async () => {
    if (!leads()) return;
    const before = blockedBy(await see());
    if (before.length === 0) return;
    await clock.sleep(LOOK_AGAIN_MS, signal);
    const blocked = stillBlocked(before, blockedBy(await see()));
    const nodes = new Map(blocked.map(({ agent, node }) => [agent, node]));
    for (const { agent, freed } of await freeBlocked(locks, blocked)) {
      if (!freed) continue;
      log.warn({ agent, node: nodes.get(agent) }, "freed from a node that is gone");
      healed(agent);
    }
  };
  while (!signal.aborted) {
    await look().catch((error) => {
      if (!signal.aborted) log.warn({ problem: messageOf(error) }, "healing has to wait");
    });
    await clock.sleep(LOOK_MS, signal).catch(() => {});
  }
}
