import { agentViews } from "../../agents/view.ts";
import { openWatchers } from "../../agents/watchers.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { type AgentFilter, chosenAgents, matchingAgents } from "./chosen.ts";

const POLL_MS = 1_000;

/** `aec agents watch`: one line for each run as it ends and each change of state, until it is interrupted. */
export async function run(
  context: Context,
  pattern: string | undefined,
  filter: AgentFilter,
): Promise<undefined> {
  const { clock, signal, stdout } = context.world;
  const watchers = await openWatchers(context);
  const known = new Map<string, { lastStart: string | null; state: string }>();
  try {
    while (!signal.aborted) {
      // A wrong pattern is told at the first look; later ones do not walk the store for agents that it alone knows.
      const first = known.size === 0;
      const views = agentViews(await watchers.see(first));
      for (const agent of (first ? chosenAgents : matchingAgents)(views, pattern, filter)) {
        const { id, lastStart, lastDurationMs, state, holder } = agent;
        const before = known.get(id);
        known.set(id, { lastStart, state });
        if (!before) continue;
        const ran = before.lastStart !== lastStart;
        if (!ran && before.state === state) continue;
        const event = ran ? "ran" : state;
        if (context.out.format === "text") {
          const took = ran && lastDurationMs !== null ? ` in ${formatDuration(lastDurationMs)}` : "";
          stdout.write(`${new Date(clock.now()).toISOString()}  ${event.padEnd(9)}  ${id}${took}\n`);
        } else
          context.out.line({
            at: new Date(clock.now()).toISOString(),
            event,
            id,
            lastStart,
            lastDurationMs,
            state,
            holder,
          });
      }
      await clock.sleep(POLL_MS, signal);
    }
  } finally {
    watchers.close();
  }
  return undefined;
}
