import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { RunningGroup } from "../../gate/executions.ts";
import type { Health } from "./health.ts";

/** How much longer the pause is than the answer took. */
const PATIENCE = 20;
const LONGEST_MS = 10 * 60_000;

/**
 * Looks at the groups that running executions work on, whether events tell of them or not. Runs until the signal aborts.
 */
export async function watchExecutions({
  leads,
  running,
  health,
  everyMs,
  clock,
  signal,
  log,
}: {
  /** One replica asks. */
  leads(): boolean;
  running(): Promise<RunningGroup[]>;
  health: Pick<Health, "include">;
  /** Between two questions, ms. */
  everyMs: number;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  let waitMs = everyMs;
  while (!signal.aborted) {
    const asked = clock.now();
    try {
      for (const { provider, account, region, name } of leads() ? await running() : [])
        health.include({ account, region, type: provider === "ecs" ? "ecs-service" : "server-group" }, name);
      // Orca reads the executions of hours for it.
      waitMs = Math.max(everyMs, PATIENCE * (clock.now() - asked));
    } catch (error) {
      if (waitMs <= everyMs && !signal.aborted)
        log.warn({ problem: messageOf(error) }, "running executions are not seen");
      waitMs = Math.min(2 * Math.max(waitMs, everyMs), LONGEST_MS);
    }
    await clock.sleep(waitMs, signal).catch(() => {});
  }
}
