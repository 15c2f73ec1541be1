import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { RunningGroup } from "../../gate/executions.ts";
import type { Health } from "./health.ts";

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
  health: Health;
  /** Between two questions, ms. */
  everyMs: number;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      for (const { provider, account, region, name } of leads() ? await running() : [])
        health.watch({ account, region, type: provider === "ecs" ? "ecs-service" : "server-group" }, name);
      failing = false;
    } catch (error) {
      if (!failing && !signal.aborted)
        log.warn({ problem: messageOf(error) }, "running executions are not seen");
      failing = true;
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
