import { type Clouddriver, createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { configuredIntervalMs } from "../polling/configured.ts";
import { sight } from "./sight.ts";
import type { Sighting } from "./sighting.ts";
import { openLockStore } from "./stores/open.ts";
import type { LockStore } from "./stores/store.ts";

/** Clouddriver and the lock store of one command; the store is undefined where none is named. */
export interface Watchers {
  clouddriver: Clouddriver;
  locks: LockStore | undefined;
  /** With `everyLock` also of agents that introspection does not know, which walks a Redis once. */
  see(everyLock: boolean): Promise<Sighting>;
  close(): void;
}

export async function openWatchers(context: Context): Promise<Watchers> {
  const { settings, world } = context;
  const clouddriver = createClouddriver(context);
  const store = settings.lockStore.value;
  const locks = store === undefined || store === "" ? undefined : await openLockStore(store);
  const intervalMs = configuredIntervalMs(context);
  return {
    clouddriver,
    locks,
    see: (everyLock) => sight(clouddriver, locks, world.clock, intervalMs, everyLock),
    close: () => locks?.close(),
  };
}

/** The lock store, for commands that are nothing without it. Throws a usage error. */
export function needLocks({ locks }: Watchers): LockStore {
  if (locks) return locks;
  throw usageError("no-lock-store", "agents are run and freed by the locks of Clouddriver's scheduler", {
    hint: "add --lock-store redis://HOST:6379 (or mysql:, postgres:), as Clouddriver has it",
  });
}
