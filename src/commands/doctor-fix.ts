import type { Context } from "../context.ts";
import type { Check, Repair } from "../doctor/check.ts";
import { ExpectedError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";
import type { DoctorOptions } from "./doctor.ts";

/** What became of one command. */
export interface Fixed {
  command: string;
  /** Why it could not mend anything. */
  problem: string | null;
}

type Run = (context: Context, options: DoctorOptions & Repair) => Promise<CommandResult>;

const COMMANDS: Readonly<Record<Repair["command"], Run>> = {
  "sns create": async (context, options) => (await import("./sns/create.ts")).run(context, options),
  "events enable": async (context, options) => (await import("./events/enable.ts")).run(context, options),
  "agents free": async (context) => (await import("./agents/free.ts")).run(context, {}),
  // Last: what could not be delivered may have been lost by what the others mend.
  "sns redrive": async (context, options) => (await import("./sns/redrive.ts")).run(context, options),
};

/**
 * Runs the commands that mend what was found, each once, as somebody would who types them: each shows what it changes
 * and asks. What one of them refuses is told, and the others go on.
 */
export async function fixChecks(
  context: Context,
  checks: readonly Check[],
  options: DoctorOptions,
): Promise<Fixed[]> {
  const repairs = new Map(checks.flatMap(({ repair }) => (repair ? [[JSON.stringify(repair), repair]] : [])));
  const order = Object.keys(COMMANDS);
  const inOrder = [...repairs.values()].toSorted(
    (a, b) => order.indexOf(a.command) - order.indexOf(b.command),
  );
  const fixed: Fixed[] = [];
  for (const repair of inOrder) {
    const command = commandLine(repair);
    context.out.say(command);
    try {
      await COMMANDS[repair.command](context, { ...options, ...repair });
      fixed.push({ command, problem: null });
    } catch (error) {
      if (!(error instanceof ExpectedError) || context.world.signal.aborted) throw error;
      fixed.push({ command, problem: error.message });
    }
  }
  return fixed;
}

function commandLine({ command, regions = [], accounts = [], rules = [] }: Repair): string {
  const lists = { accounts, regions, rules };
  const options = Object.entries(lists).flatMap(([name, values]) =>
    values.length > 0 ? [`--${name} ${values.join(",")}`] : [],
  );
  return ["aec", command, ...options].join(" ");
}
