import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import type { RunningGroup } from "../../gate/executions.ts";
import type { Health } from "./health.ts";
import { keepLooking } from "./keep-looking.ts";

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
  let quietMs = everyMs;
  const look = async () => {
    const asked = clock.now();
    for (const { provider, account, region, name } of await running())
      health.include({ account, region, type: provider === "ecs" ? "ecs-service" : "server-group" }, name);
    // Orca reads the executions of hours for it.
    quietMs = Math.max(everyMs, PATIENCE * (clock.now() - asked));
  };
  await keepLooking(look, {
    leads,
    pauseMs: (failures) => (failures === 0 ? quietMs : Math.min(quietMs * 2 ** failures, LONGEST_MS)),
    failed: (problem) => log.warn({ problem }, "running executions are not seen"),
    clock,
    signal,
  });
}
