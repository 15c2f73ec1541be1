import type { Context } from "../context.ts";
import type { Check, Repair } from "../doctor/check.ts";
import { EXIT, ExpectedError } from "../errors.ts";
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
    const command = commandLine(repair, options);
    context.out.say(command);
    try {
      const { exit = EXIT.ok } = await COMMANDS[repair.command](context, { ...options, ...repair });
      fixed.push({ command, problem: exit === EXIT.ok ? null : `exit ${exit}: run it to see more` });
    } catch (error) {
      if (!(error instanceof ExpectedError) || context.world.signal.aborted) throw error;
      fixed.push({ command, problem: error.message });
    }
  }
  return fixed;
}

/** As somebody would type it. */
function commandLine(
  { command, regions, accounts, rules }: Repair,
  { topicName, protocol }: DoctorOptions,
): string {
  const inAws = command !== "agents free";
  const options = {
    accounts: accounts?.join(","),
    regions: regions?.join(","),
    rules: rules?.join(","),
    "topic-name": inAws ? topicName : undefined,
    protocol: command === "sns create" ? protocol : undefined,
  };
  const given = Object.entries(options).flatMap(([name, value]) => (value ? [`--${name} ${value}`] : []));
  return ["aec", command, ...given].join(" ");
}
