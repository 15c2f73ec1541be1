import type { AgentExecution } from "../clouddriver/executions.ts";
import { ownIntervalMs } from "../polling/own-intervals.ts";
import { isIdle, usualInterval } from "./idle.ts";
import type { Lock } from "./stores/store.ts";

/** What introspection and the locks tell at a moment. */
export interface Sighting {
  executions: ReadonlyMap<string, AgentExecution>;
  locks: ReadonlyMap<string, Lock>;
  /** Clouddriver's clock, ms since the epoch. */
  now: number;
  configuredMs: number | undefined;
}

/** Clocks are known to the second. */
const CLOCK_ERROR_MS = 2_000;

/** The sighting with the interval that most agents show, where none is configured. */
export function withUsualInterval(sighting: Sighting): Sighting {
  if (sighting.configuredMs !== undefined) return sighting;
  const samples = [...sighting.locks].flatMap(([id, { lifeMs, held }]) =>
    held || ownIntervalMs(id) !== undefined
      ? []
      : [{ lifeMs, lastStartMs: sighting.executions.get(id)?.lastExecutionStartMs }],
  );
  return { ...sighting, configuredMs: usualInterval(samples, sighting.now) };
}

/** Whether an agent's lock is surely that of an idle one. */
export function isIdleNow(agent: string, { executions, locks, now, configuredMs }: Sighting): boolean {
  const lifeMs = locks.get(agent)?.lifeMs ?? 0;
  const lastStartMs = executions.get(agent)?.lastExecutionStartMs;
  // Clouddriver's clock is known to the second: a run of this second may seem to start after now.
  const at =
    lastStartMs !== undefined && lastStartMs - now < CLOCK_ERROR_MS ? Math.max(now, lastStartMs) : now;
  return isIdle({ lifeMs, lastStartMs }, at, ownIntervalMs(agent) ?? configuredMs);
}
