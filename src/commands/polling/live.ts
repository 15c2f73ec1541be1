import { type AgentView, agentViews } from "../../agents/view.ts";
import type { Context } from "../../context.ts";
import { ownerOf } from "../../polling/live/hold-value.ts";
import { type Wish, wishFor } from "../../polling/live/wishes.ts";
import { askServe } from "../../serve/client.ts";
import { openWatchers } from "../agents/sight.ts";

/** An agent that an `aec` keeps from running. */
export interface Hold {
  agent: string;
  owner: string;
  /** ISO 8601: the end of the wish, or of the hold itself where nothing more is known. */
  until: string;
  reason: string;
}

/** What the agents of a running Clouddriver do, and which are held; wishes come from `serve` where one is named. */
export async function livePolling(context: Context): Promise<{ agents: AgentView[]; holds: Hold[] }> {
  const watchers = await openWatchers(context);
  try {
    const sighting = await watchers.see(true);
    const wishes = await wishesOfServe(context);
    const agents = agentViews(sighting);
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
