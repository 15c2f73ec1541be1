import { type AgentRun, runAgent } from "../../agents/run.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import { createDebounce } from "../../debounce.ts";
import type { WorkItem } from "../../refresh/items.ts";
import type { Refresher } from "../../refresh/refresh.ts";
import type { Leases } from "../leases.ts";
import type { Pace } from "./pace.ts";

/** Runs an agent for an item: at once or with those that come meanwhile, at the pace of its account and Region. */
export type RunForItem = (
  agent: string,
  item: Pick<WorkItem, "account" | "region" | "type">,
) => Promise<AgentRun>;

export function createAgentRuns(
  refresher: Refresher & { locks: LockStore },
  { debounceMs, pace, leases }: { debounceMs: number; pace: Pace; leases: Leases },
): RunForItem {
  const { clock, signal, clouddriver } = refresher;
  const { executions } = clouddriver;
  const debounce = createDebounce<AgentRun>(clock, debounceMs, signal);
  const runner = { ...refresher, executions };

  /** Another replica's run that begins after this call serves it too; introspection tells of it once it succeeded. */
  const waiting = async (agent: string) => {
    const since = (await executions()).serverTime ?? clock.now();
    return async (): Promise<AgentRun | undefined> => {
      const run = (await executions()).byAgent.get(agent);
      return run && run.lastExecutionStartMs >= since
        ? { outcome: "ran", startedMs: run.lastExecutionStartMs, durationMs: run.lastExecutionDurationMs }
        : undefined;
    };
  };
  return (agent, item) =>
    debounce(agent, (notBegun) =>
      pace.inTurn(item, () =>
        leases.alone(agent, debounceMs, {
          waiting: () => waiting(agent),
          work: () => runAgent(agent, { ...runner, notBegun }),
        }),
      ),
    );
}
