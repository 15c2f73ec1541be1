import type { CommandUnknownOpts, Option } from "commander";
import type { Context } from "../context.ts";
import { messageOf, usageError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";

/** Each asks aec itself what may follow, so that accounts and Regions of `aec.yml` are among it. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_aec() {
  local IFS=$'\\n'
  COMPREPLY=($(aec completion --words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _aec aec`,
  zsh: `#compdef aec
_aec() {
  local -a found
  found=("\${(@f)$(aec completion --words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found || _files
}
compdef _aec aec`,
  fish: `complete -c aec -a '(aec completion --words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
};
const SHELLS = Object.keys(SCRIPTS);

/** `aec completion`: a script for a shell. */
export function script(shells: readonly string[]): CommandResult {
  const text = SCRIPTS[shells[0] ?? ""];
  if (text === undefined || shells.length > 1) {
    throw usageError("unknown-shell", `"${shells.join(" ")}" is not ${SHELLS.join(", ")}`, {
      hint: "such as: source <(aec completion bash)",
    });
  }
  return { data: { script: text }, text: () => text };
}

/** What may follow the words, of which the last is being typed; `configured` tells what `aec.yml` has for an option. */
export async function candidates(
  program: CommandUnknownOpts,
  given: readonly string[],
  configured: (option: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const valuesOf = async ({ long = "", argChoices }: Option) =>
    argChoices ?? (CONFIGURED.has(long) ? await configured(long) : []);
  // Bash takes --name=value for three words.
  const words = given.at(-1) === "=" ? [...given, ""] : [...given];
  for (let at = words.indexOf("="); at !== -1; at = words.indexOf("=")) words.splice(at, 1);
  const typed = words.at(-1) ?? "";
  let command: CommandUnknownOpts = program;
  let pending: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (pending) {
      pending = undefined;
      continue;
    }
    const option = optionOf(word, command, program);
    if (option) pending = option.required || option.optional ? option : undefined;
    else command = command.commands.find((one) => one.name() === word) ?? command;
  }
  const [, inlineName, inlineValue] = /^(--[a-z-]+)=(.*)$/.exec(typed) ?? [];
  if (inlineName !== undefined) {
    const option = optionOf(inlineName, command, program);
    const values = option ? await valuesOf(option) : [];
    return values
      .filter((value) => value.startsWith(inlineValue ?? ""))
      .map((value) => `${inlineName}=${value}`);
  }
  const all = pending ? await valuesOf(pending) : followersOf(command, program, typed);
  return all.filter((one) => one.startsWith(typed));
}

function optionOf(
  word: string,
  command: CommandUnknownOpts,
  program: CommandUnknownOpts,
): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => word === long || word === short);
}

function followersOf(command: CommandUnknownOpts, program: CommandUnknownOpts, typed: string): string[] {
  if (typed.startsWith("-")) {
    return [...new Set([...command.options, ...program.options])]
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long }) => long ?? [])
      .concat("--help");
  }
  const names = command.commands.map((one) => one.name()).filter((name) => name !== "help");
  if (command.name() === "completion") return SHELLS;
  return names.concat(command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []));
}

const ACCOUNTS = ["--account", "--accounts", "--canary"];
const REGIONS = ["--region", "--regions", "--aws-region"];
const CONFIGURED = new Set([...ACCOUNTS, ...REGIONS, "--env"]);

/** The accounts, Regions or environments of `aec.yml`; of a broken one none: it is told by the command that needs it. */
export function configuredValues(option: string, context: Context): string[] {
  try {
    const { accounts = [], notify } = context.settings.section;
    if (ACCOUNTS.includes(option)) return accounts.map(({ name }) => name);
    if (REGIONS.includes(option))
      return [...new Set([...(notify?.regions ?? []), ...accounts.flatMap(({ regions = [] }) => regions)])];
    return context.environments();
  } catch (error) {
    context.out.trace(messageOf(error));
    return [];
  }
}
