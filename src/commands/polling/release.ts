import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import type { Wish } from "../../polling/live/wishes.ts";
import { askServe } from "../../serve/telling/client.ts";
import type { ApplyOptions } from "../in-places.ts";

/** `aec polling release`: takes live intervals and holds back; Clouddriver's own polling goes on within seconds. */
export async function run(
  context: Context,
  agents: string | undefined,
  options: ApplyOptions,
): Promise<CommandResult> {
  if (options.dryRun) {
    const present = wishesOf((await askServe(context, "/polling"))?.wishes);
    const found = present.filter((wish) => agents === undefined || wish.agents === agents);
    return {
      data: { released: found, dryRun: true },
      exit: options.exitCode && found.length > 0 ? EXIT.differences : EXIT.ok,
      text: () =>
        [...found.map((wish) => `release ${wish.agents}`), "Dry run: nothing was changed."].join("\n"),
    };
  }
  const query = agents === undefined ? "" : `?agents=${encodeURIComponent(agents)}`;
  const answer = await askServe(context, `/polling${query}`, { method: "DELETE" });
  const released = wishesOf(answer?.released);
  return {
    data: { released, wishes: wishesOf(answer?.wishes) },
    text: () =>
      released.length === 0
        ? "There was nothing to release."
        : released.map((one) => `released ${one.agents}`).join("\n"),
  };
}

function wishesOf(value: unknown): Wish[] {
  return Array.isArray(value) ? (value as Wish[]) : [];
}
