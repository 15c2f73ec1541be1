import { matchesGlob } from "../agents/pattern.ts";
import type { Context } from "../context.ts";
import { parseDuration } from "../duration.ts";
import { usageError } from "../errors.ts";

/** How rarely agents run that events tell enough of. */
export interface Floors {
  /** Of all that no pattern is for, ms. */
  floorMs: number;
  /** The last one that matches counts. */
  byAgents: readonly { agents: string; floorMs: number }[];
}

const DEFAULT = "5m";
const LEAST_MS = 30_000;
const MOST_MS = 15 * 60_000;

/** `polling.floor` and `polling.floors` of `aec.yml`. Throws a usage error for one outside of 30 s to 15 minutes. */
export function configuredFloors({ settings }: Context): Floors {
  const { floor = DEFAULT, floors = [] } = settings.section.polling ?? {};
  return {
    floorMs: read(floor, "polling.floor"),
    byAgents: floors.map(({ agents, floor: text }) => ({
      agents,
      floorMs: read(text, `polling.floors of "${agents}"`),
    })),
  };
}

/** The floor of an agentType, ms. */
export function floorFor(agent: string, { floorMs, byAgents }: Floors): number {
  return byAgents.findLast(({ agents }) => matchesGlob(agents, agent))?.floorMs ?? floorMs;
}

function read(text: string, where: string): number {
  const floorMs = parseDuration(text, where);
  if (floorMs < LEAST_MS) {
    throw usageError(
      "bad-floor",
      `${where}: ${text} is shorter than 30s, as often as agents run by themselves`,
      { hint: "such as 5m, at most 15m; without mode events nothing is held" },
    );
  }
  if (floorMs <= MOST_MS) return floorMs;
  throw usageError("bad-floor", `${where}: ${text} is longer than 15m`, {
    hint: "what a lost event hides is shown after a floor; for what nobody needs use polling.rules",
  });
}
