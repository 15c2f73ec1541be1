import { type AgentView, agentViews } from "../../agents/view.ts";
import { openWatchers } from "../../agents/watchers.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { messageOf } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import type { Paint } from "../../output/paint.ts";
import { table } from "../../output/table.ts";
import { ownerOf } from "../../polling/live/hold-value.ts";
import { askServe } from "../../serve/telling/client.ts";
import type { Status } from "../../serve/telling/status.ts";
import { type AgentFilter, chosenAgents } from "./chosen.ts";

export interface AgentsListOptions extends AgentFilter {
  sort?: "name" | "last-start" | "duration" | "next-due" | "calls" | undefined;
}

/** `aec agents list`: what every caching agent does, from introspection and from its lock. */
export async function run(
  context: Context,
  pattern: string | undefined,
  options: AgentsListOptions,
): Promise<CommandResult> {
  const watchers = await openWatchers(context);
  try {
    if (!watchers.locks)
      context.out.warn("without --lock-store neither intervals, holders nor due times are known");
    const reasons = await reasonsOfServe(context);
    const agents = chosenAgents(agentViews(await watchers.see(true)), pattern, options)
      .toSorted(ORDERS[options.sort ?? "name"])
      .map((agent) => ({ ...agent, reason: reasons?.get(agent.id) ?? null }));
    return {
      data: { agents },
      text: (paint) =>
        agents.length === 0
          ? "Clouddriver knows of no caching agent: is this its caching role, and has it run for a minute?"
          : [
              table(
                [
                  "ACCOUNT",
                  "REGION",
                  "AGENT",
                  "LAST START",
                  "TOOK",
                  "INTERVAL",
                  "DUE IN",
                  "CALLS/H",
                  "STATE",
                  ...(reasons ? ["WHY"] : []),
                ],
                agents.map((agent) => [
                  ...row(agent, paint, context.world.clock.now()),
                  ...(reasons ? [agent.reason ?? "-"] : []),
                ]),
              ),
              summary(agents),
            ].join("\n"),
    };
  } finally {
    watchers.close();
  }
}

/** Why each agent is fast or slow, as the `aec serve` that is named tells it; undefined where none is, or tells nothing. */
async function reasonsOfServe(context: Context): Promise<Map<string, string> | undefined> {
  const { serve, serveToken } = context.settings;
  if (serve.value === undefined || serveToken.value === undefined) return undefined;
  try {
    const { agents = [] } = ((await askServe(context, "/status")) ?? {}) as Partial<Status>;
    return new Map(agents.map(({ agent, reason }) => [agent, reason]));
  } catch (error) {
    context.out.warn(`why agents are fast or slow is not known: ${messageOf(error)}`);
    return undefined;
  }
}

const ORDERS: Readonly<Record<string, (a: AgentView, b: AgentView) => number>> = {
  name: (a, b) => (a.id < b.id ? -1 : 1),
  "last-start": (a, b) => ((a.lastStart ?? "") < (b.lastStart ?? "") ? -1 : 1),
  duration: (a, b) => (b.lastDurationMs ?? -1) - (a.lastDurationMs ?? -1),
  "next-due": (a, b) => ((a.nextDue ?? "9") < (b.nextDue ?? "9") ? -1 : 1),
  calls: (a, b) => (b.callsPerHour ?? -1) - (a.callsPerHour ?? -1),
};

function row(agent: AgentView, paint: Paint, now: number): string[] {
  const { account, region, kind, lastStart, lastDurationMs, intervalMs, nextDue, callsPerHour, state } =
    agent;
  const seconds = (ms: number) => formatDuration(Math.max(0, Math.round(ms / 1_000)) * 1_000);
  return [
    account ?? "-",
    region ?? "-",
    kind,
    lastStart?.slice(11, 19) ?? "-",
    lastDurationMs === null ? "-" : formatDuration(lastDurationMs),
    intervalMs === null ? "-" : seconds(intervalMs),
    nextDue === null ? "-" : seconds(Date.parse(nextDue) - now),
    callsPerHour === null ? "-" : `≥ ${callsPerHour}`,
    state === "ok" || state === "running" ? paint.green(state) : paint.yellow(withHolder(agent)),
  ];
}

/** Who holds it, where that is not a node at its work. */
function withHolder({ state, holder }: AgentView): string {
  const told = state === "held" || state === "blocked" || state === "stuck";
  return told && holder !== null ? `${state} by ${ownerOf(holder) ?? holder}` : state;
}

function summary(agents: readonly AgentView[]): string {
  const states = [...new Set(agents.map(({ state }) => state))].toSorted();
  const counts = states.map((one) => `${agents.filter(({ state }) => state === one).length} ${one}`);
  const nodes = new Set(agents.flatMap(({ holder, state }) => (holder && state !== "held" ? [holder] : [])));
  return `${agents.length} agents: ${counts.join(", ")}; locks of ${nodes.size} nodes`;
}
