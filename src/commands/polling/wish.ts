import { hostname, userInfo } from "node:os";
import type { Context } from "../../context.ts";
import { formatDuration, parseDuration } from "../../duration.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { AWAITED } from "../../polling/live/wishes.ts";
import { askServe } from "../../serve/telling/client.ts";
import type { ApplyOptions } from "../in-places.ts";

export interface WishOptions extends ApplyOptions {
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
  const forMs = options.for === undefined ? null : parseDuration(options.for, "--for");
  const owner = `${userInfo().username}@${hostname()}`;
  const wanted = { agents, intervalMs, forMs, owner, reason: options.reason ?? "" };
  const awaited = AWAITED.filter((kind) => agents.endsWith(kind) || /\*\*?$/.test(agents));
  if (awaited.length > 0 && (intervalMs === null || intervalMs > 60_000)) {
    context.out.warn(
      `pipelines wait for a pass of ${awaited.join(" and ")}: without events that run it, each such stage takes up to that much longer`,
    );
  }
  const until = forMs === null ? "until it is released" : `for ${formatDuration(forMs)}`;
  const what = intervalMs === null ? "is held" : `runs every ${formatDuration(intervalMs)}`;
  if (options.dryRun) {
    await askServe(context, "/polling");
    return {
      data: { wish: wanted, dryRun: true },
      exit: options.exitCode ? EXIT.differences : EXIT.ok,
      text: () => `${agents} ${what}, ${until}. Dry run: nothing was changed.`,
    };
  }
  const answer = await askServe(context, "/polling", { method: "PUT", body: wanted });
  const held = Array.isArray(answer?.held) ? answer.held.map(String) : [];
  const persistent = answer?.persistent === true;
  if (!persistent) context.out.warn("this lock store cannot keep wishes: they end when that aec serve ends");
  return {
    data: { wish: wanted, held, persistent },
    text: () => `${agents} ${what}, ${until}; ${held.length} agents are held now`,
  };
}
