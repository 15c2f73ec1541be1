import type { Logger } from "pino";
import { agentsOf, GLOBAL_REGION, isGlobal, providerOf, RESOURCE_TYPES } from "../../agents/kinds.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import type { Account } from "../../clouddriver/accounts.ts";
import type { AccountRegion, WorkItem } from "../../refresh/items.ts";
import type { Refresher } from "../../refresh/refresh.ts";
import type { RunForItem } from "./agent-runs.ts";

export interface FloorOptions {
  refresher: Refresher & { locks: LockStore };
  accounts(): Promise<Account[]>;
  run: RunForItem;
  log: Logger;
}

/** Two passes of stock polling: what polls so often makes up for lost events by itself. */
const LATE_MS = 60_000;

/**
 * One pass of every agent in care that has not begun one for a minute: events may have been lost before. With stock
 * polling that is none. What nobody waits for comes last, at the pace of its account and Region. Of all accounts and
 * Regions, unless one is named.
 */
export async function floorPass(
  why: string,
  { refresher, accounts, run, log }: FloorOptions,
  only?: AccountRegion,
): Promise<void> {
  const { clouddriver, locks, clock } = refresher;
  const { byAgent } = await clouddriver.executions();
  const candidates = new Map<string, Pick<WorkItem, "account" | "region" | "type">>();
  for (const { name: account, regions, provider } of await accounts()) {
    if (only && only.account !== account) continue;
    for (const type of RESOURCE_TYPES.filter((one) => providerOf(one) === provider)) {
      for (const region of isGlobal(type) ? [GLOBAL_REGION] : regions) {
        if (only && only.region !== region) continue;
        const place = { type, account, region };
        for (const agent of agentsOf(place)) candidates.set(agent, place);
      }
    }
  }
  const locked = await locks.locksOf([...candidates.keys()]);
  const oldest = clock.now() - LATE_MS;
  const late = [...candidates].filter(([agent]) => {
    const started = byAgent.get(agent)?.lastExecutionStartMs;
    return started === undefined ? locked.has(agent) : started < oldest;
  });
  if (late.length === 0) return;
  log.info({ agents: late.length, why }, "a pass of what has not run for long");
  const runs = await Promise.all(late.map(([agent, place]) => run(agent, place)));
  const failed = runs.filter(({ outcome }) => outcome !== "ran").length;
  log.info({ agents: late.length, failed, why }, "the pass is over");
}
