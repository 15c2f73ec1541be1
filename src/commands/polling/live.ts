import { type AgentView, agentViews } from "../../agents/view.ts";
import { openWatchers } from "../../agents/watchers.ts";
import type { Context } from "../../context.ts";
import { ownerOf } from "../../polling/live/hold-value.ts";
import { type Wish, wishFor } from "../../polling/live/wishes.ts";
import { observeIntervals } from "../../polling/observe.ts";
import { askServe } from "../../serve/telling/client.ts";

/** An agent that an `aec` keeps from running. */
export interface Hold {
  agent: string;
  owner: string;
  /** ISO 8601: the end of the wish, or of the hold itself where nothing more is known. */
  until: string;
  reason: string;
}

export interface LivePolling {
  /** `observedIntervalMs` only where it was asked for: between starts that were seen. */
  agents: (AgentView & { observedIntervalMs?: number | null })[];
  holds: Hold[];
}

/**
 * What the agents of a running Clouddriver do, and which are held; wishes come from `serve` where one is named.
 * Intervals are inferred from the locks, and with `observeMs` measured between the starts of that time.
 */
export async function livePolling(context: Context, observeMs: number | undefined): Promise<LivePolling> {
  const watchers = await openWatchers(context);
  const { clock, signal } = context.world;
  try {
    const observed =
      observeMs === undefined
        ? undefined
        : await observeIntervals(watchers.clouddriver, clock, signal, observeMs);
    const sighting = await watchers.see(true);
    const wishes = await wishesOfServe(context);
    const agents = agentViews(sighting).map((agent) =>
      observed ? { ...agent, observedIntervalMs: observed.get(agent.id) ?? null } : agent,
    );
    const holds = agents.flatMap(({ id, holder, state }): Hold[] => {
      if (state !== "held" || holder === null) return [];
      const wish = wishFor(id, wishes, context.world.clock.now());
      const lifeMs = sighting.locks.get(id)?.lifeMs ?? 0;
      return [
        {
          agent: id,
          owner: wish?.owner || (ownerOf(holder) ?? holder),
          until: new Date(wish?.until ?? sighting.now + lifeMs).toISOString(),
          reason: wish?.reason ?? "",
        },
      ];
    });
    return { agents, holds };
  } finally {
    watchers.close();
  }
}

async function wishesOfServe(context: Context): Promise<Wish[]> {
  if (context.settings.serve.origin === "not set") return [];
  const answer = await askServe(context, "/polling");
  return Array.isArray(answer?.wishes) ? (answer.wishes as Wish[]) : [];
}
