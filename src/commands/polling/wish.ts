import { hostname, userInfo } from "node:os";
import type { Context } from "../../context.ts";
import { formatDuration, parseDuration } from "../../duration.ts";
import type { CommandResult } from "../../output/output.ts";
import { AWAITED, type Wish } from "../../polling/live/wishes.ts";
import { askServe } from "../../serve/client.ts";

export interface WishOptions {
  for?: string | undefined;
  reason?: string | undefined;
}

/** Tells the running `serve` how often agents are to run; it is in force when this returns. */
export async function wish(
  context: Context,
  agents: string,
  intervalMs: number | null,
  options: WishOptions,
): Promise<CommandResult> {
  const forMs = options.for === undefined ? undefined : parseDuration(options.for, "--for");
  const wanted: Wish = {
    agents,
    intervalMs,
    until: forMs === undefined ? null : context.world.clock.now() + forMs,
    owner: `${userInfo().username}@${hostname()}`,
    reason: options.reason ?? "",
  };
  const awaited = AWAITED.filter((kind) => agents.endsWith(kind) || /\*\*?$/.test(agents));
  if (awaited.length > 0 && (intervalMs === null || intervalMs > 60_000)) {
    context.out.warn(
      `pipelines wait for a pass of ${awaited.join(" and ")}: without events that run it, each such stage takes up to that much longer`,
    );
  }
  const answer = await askServe(context, "/polling", { method: "PUT", body: wanted });
  const held = Array.isArray(answer?.held) ? answer.held.map(String) : [];
  const until = wanted.until === null ? "until it is released" : `for ${formatDuration(forMs ?? 0)}`;
  const what = intervalMs === null ? "is held" : `runs every ${formatDuration(intervalMs)}`;
  return {
    data: { wish: wanted, held },
    text: () => `${agents} ${what}, ${until}; ${held.length} agents are held now`,
  };
}
