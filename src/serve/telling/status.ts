import { callsPerPass } from "../../agents/catalog.ts";
import type { Keeper } from "../../polling/live/keeper.ts";
import { ownIntervalMs } from "../../polling/own-intervals.ts";
import { version } from "../../version.ts";
import type { Covered } from "../holding/coverage.ts";
import type { Mode } from "../running/apply.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Latency, Outcomes, Recent, RecentEvent } from "./recent.ts";

/** What `GET /status` answers. */
export interface Status {
  /** Of `aec`. */
  version: string;
  mode: Mode;
  topics: readonly string[];
  queues: readonly string[];
  /** Messages that are being applied. */
  open: number;
  held: number;
  /** `ACCOUNT/REGION` that are treated gently, since AWS throttles. */
  slow: readonly string[];
  /** How fast events arrive; absent without a lock store. */
  events?: readonly Covered[];
  /** How often each agent runs, and why; absent without a lock store. */
  agents?: readonly AgentStatus[];
  /** `ACCOUNT/REGION/NAME` of the groups whose health is looked at. */
  watched: readonly string[];
  /** What holds save AWS, at the least: pages and calls for single resources come on top. */
  savedCallsPerMinute: number;
  outcomes: Outcomes;
  latencies: readonly Latency[];
  last: readonly RecentEvent[];
  /** Empty when ready. */
  missing: readonly string[];
}

export interface AgentStatus {
  agent: string;
  held: boolean;
  /** Null: it keeps its own pace, or is held altogether. */
  everyMs: number | null;
  reason: string;
}

/** Puts together what `serve` is doing now. */
export async function statusOf({
  mode,
  topics,
  queues,
  scheduler,
  recent,
  missing,
}: {
  mode: Mode;
  topics: readonly string[];
  queues: readonly string[];
  scheduler: Scheduler;
  recent: Recent;
  missing(): Promise<string[]>;
}): Promise<Status> {
  const { dispatch, keeper, coverage, stockMs } = scheduler;
  // Clouddriver may be down: that is among what is missing.
  const agents = keeper && (await agentsOf(keeper, scheduler).catch(() => []));
  return {
    version,
    mode,
    topics,
    queues,
    open: dispatch.open(),
    held: keeper?.held().length ?? 0,
    slow: scheduler.slow(),
    ...(coverage && { events: coverage.all() }),
    ...(agents && { agents }),
    watched: scheduler.watched(),
    savedCallsPerMinute: savedPerMinute(agents ?? [], stockMs),
    outcomes: recent.outcomes(),
    latencies: recent.latencies(),
    last: recent.last(),
    missing: await missing(),
  };
}

async function agentsOf(keeper: Keeper, { coverage }: Scheduler): Promise<AgentStatus[]> {
  return (await keeper.agents()).map(({ agent, held, wish }) => ({
    agent,
    held,
    everyMs: wish?.intervalMs ?? null,
    reason: wish ? `${wish.owner}: ${wish.reason}` : (coverage?.paceOf(agent).reason ?? ""),
  }));
}

function savedPerMinute(agents: readonly AgentStatus[], stockMs: number): number {
  const saved = agents.map(({ agent, held, everyMs }) =>
    held
      ? (callsPerPass(agent) ?? 0) *
        (60_000 / (ownIntervalMs(agent) ?? stockMs) - (everyMs === null ? 0 : 60_000 / everyMs))
      : 0,
  );
  return Math.max(0, Math.round(saved.reduce((sum, one) => sum + one, 0)));
}
