import type { Context } from "../../context.ts";
import { usageError } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { type WishOptions, wish } from "./wish.ts";

/** `aec polling hold`: keeps agents from running, for a time, by a running `aec serve`. */
export async function run(context: Context, agents: string, options: WishOptions): Promise<CommandResult> {
  if (options.for === undefined) {
    throw usageError("no-end", "a hold needs an end: agents that are never polled show an old world", {
      hint: "add --for 30m",
    });
  }
  return wish(context, agents, null, options);
}
