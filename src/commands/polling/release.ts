import type { Context } from "../../context.ts";
import type { CommandResult } from "../../output/output.ts";
import { askServe } from "../../serve/client.ts";

/** `aec polling release`: takes live intervals and holds back; Clouddriver's own polling goes on within seconds. */
export async function run(context: Context, agents: string | undefined): Promise<CommandResult> {
  const query = agents === undefined ? "" : `?agents=${encodeURIComponent(agents)}`;
  const answer = await askServe(context, `/polling${query}`, { method: "DELETE" });
  const released = Array.isArray(answer?.released) ? (answer.released as { agents: string }[]) : [];
  return {
    data: { released, wishes: answer?.wishes ?? [] },
    text: () =>
      released.length === 0
        ? "There was nothing to release."
        : released.map((one) => `released ${one.agents}`).join("\n"),
  };
}
