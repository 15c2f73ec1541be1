import { type AgentRun, runAgent } from "../agents/run.ts";
import type { LockStore } from "../agents/stores/store.ts";
import { createDebounce } from "../debounce.ts";
import type { WorkItem } from "../refresh/items.ts";
import type { Refresher } from "../refresh/refresh.ts";
import type { Pace } from "./pace.ts";

/** Runs an agent for an item: at once or with those that come meanwhile, at the pace of its account and Region. */
export type RunForItem = (
  agent: string,
  item: Pick<WorkItem, "account" | "region" | "type">,
) => Promise<AgentRun>;

export function createAgentRuns(
  refresher: Refresher & { locks: LockStore },
  debounceMs: number,
  pace: Pace,
): RunForItem {
  const { clock, signal, clouddriver } = refresher;
  const debounce = createDebounce<AgentRun>(clock, debounceMs, signal);
  const runner = { ...refresher, executions: clouddriver.executions };
  return (agent, item) => debounce(agent, () => pace.inTurn(item, () => runAgent(agent, runner)));
}
