import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import type { Account } from "../../clouddriver/accounts.ts";
import type { Clouddriver } from "../../clouddriver/client.ts";
import type { Health } from "./health.ts";
import { keepLooking } from "./keep-looking.ts";

/** On the Redis cache records of ECS stay for ever, and each agent lists those of all (TaskCachingAgent). */
const YOUNG_MS = 5 * 60_000;

/**
 * Looks at ECS services that somebody asked Clouddriver to refresh: something is under way there. Such a refresh is a
 * whole pass, so that nobody waits for another. Runs until the signal aborts.
 */
export async function watchRefreshedServices({
  leads,
  accounts,
  clouddriver,
  health,
  everyMs,
  clock,
  signal,
  log,
}: {
  /** One replica looks. */
  leads(): boolean;
  accounts(): Promise<Account[]>;
  clouddriver: Pick<Clouddriver, "pending">;
  health: Pick<Health, "watch">;
  /** Between two looks, ms. */
  everyMs: number;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  /** When each service's last known record was made. */
  const seen = new Map<string, number>();
  const look = async () => {
    if (!(await accounts()).some(({ provider }) => provider === "ecs")) return;
    for (const { details, cacheTime = 0 } of await clouddriver.pending("ecs/ServerGroup")) {
      const { account, region, serverGroup } = details ?? {};
      if (account === undefined || region === undefined || serverGroup === undefined) continue;
      const key = `${account}/${region}/${serverGroup}`;
      if (clock.now() - cacheTime >= YOUNG_MS || (seen.get(key) ?? 0) >= cacheTime) continue;
      seen.set(key, cacheTime);
      health.watch({ account, region, type: "ecs-service" }, serverGroup);
    }
    for (const [key, at] of seen) if (clock.now() - at >= YOUNG_MS) seen.delete(key);
  };
  await keepLooking(look, {
    leads,
    pauseMs: () => everyMs,
    failed: (problem) => log.warn({ problem }, "refreshes of ECS services are not seen"),
    clock,
    signal,
  });
}
