import { matchesGlob } from "../../agents/pattern.ts";
import { sight } from "../../agents/sight.ts";
import type { Sighting } from "../../agents/sighting.ts";
import { openLockStore } from "../../agents/stores/open.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import { type Clouddriver, createClouddriver } from "../../clouddriver/client.ts";
import type { Context } from "../../context.ts";
import { usageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { configuredIntervalMs } from "../../polling/configured.ts";

export interface AgentFilter {
  account?: string | undefined;
  region?: string | undefined;
}

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

interface Named {
  id: string;
  account: string | null;
  region: string | null;
}

/** The agents that a pattern and the filters match. */
export function matchingAgents<T extends Named>(
  agents: readonly T[],
  pattern: string | undefined,
  { account, region }: AgentFilter,
): T[] {
  return agents.filter(
    (agent) =>
      (pattern === undefined || matchesGlob(pattern, agent.id)) &&
      (account === undefined || agent.account === account) &&
      (region === undefined || agent.region === region),
  );
}

/** The same. Throws a usage error, with the nearest, where there is none. */
export function chosenAgents<T extends Named>(
  agents: readonly T[],
  pattern: string | undefined,
  { account, region }: AgentFilter,
): T[] {
  const found = matchingAgents(agents, pattern, { account, region });
  if (found.length > 0 || agents.length === 0) return found;
  const suggestion =
    pattern &&
    nearest(
      pattern,
      agents.map(({ id }) => id),
    );
  const wanted = [pattern, account && `--account ${account}`, region && `--region ${region}`].filter(Boolean);
  throw usageError("no-agent", `no agent matches ${wanted.join(" ")}`, {
    hint: suggestion
      ? `did you mean "${suggestion}"?`
      : "* stays within a part of the name, ** crosses /: 'prod/**'",
  });
}
