import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";

/** What a command takes away from an account in AWS. */
export interface StepsPlan {
  data: object;
  /** `delete topic …`, `update recorder …`, `kept queue …`: one line for each resource. */
  lines: readonly string[];
  question: string;
  steps: readonly (() => Promise<unknown>)[];
}

/** Shows the lines where a person is asked, asks, runs the steps in order, and tells what was done. */
export async function applySteps(
  context: Context,
  { data, lines, question, steps }: StepsPlan,
  options: { dryRun?: boolean | undefined; exitCode?: boolean | undefined },
): Promise<CommandResult> {
  if (options.dryRun) {
    return {
      data,
      text: () => [...lines, "Dry run: nothing was changed."].join("\n"),
      exit: options.exitCode ? EXIT.differences : EXIT.ok,
    };
  }
  if (context.asks) for (const line of lines) context.out.show(line);
  await context.confirm(question);
  for (const step of steps) await step();
  return { data, text: () => lines.map((line) => line.replace(/^(delete|update) /, "$1d ")).join("\n") };
}
