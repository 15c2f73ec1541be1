import type { CommandUnknownOpts, Option } from "commander";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";

export interface CompletionOptions {
  /** Print what may follow the words, the last of which is being typed. */
  words?: boolean | undefined;
}

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

/** `aec completion`: a script for a shell; with --words, what may follow them. */
export async function run(
  context: Context,
  program: CommandUnknownOpts,
  shellOrWords: readonly string[],
  { words }: CompletionOptions,
): Promise<CommandResult> {
  if (words) {
    const found = candidates(program, shellOrWords, context);
    return { data: { candidates: found }, text: () => found.join("\n") };
  }
  const script = SCRIPTS[shellOrWords[0] ?? ""];
  if (script === undefined || shellOrWords.length > 1) {
    const { usageError } = await import("../errors.ts");
    throw usageError("unknown-shell", `"${shellOrWords.join(" ")}" is not ${SHELLS.join(", ")}`, {
      hint: 'such as: source <(aec completion bash), or aec completion zsh > "$' + '{fpath[1]}/_aec"',
    });
  }
  return { data: { script }, text: () => script };
}

function candidates(program: CommandUnknownOpts, given: readonly string[], context: Context): string[] {
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
    const values = option ? valuesOf(option, context) : [];
    return values
      .filter((value) => value.startsWith(inlineValue ?? ""))
      .map((value) => `${inlineName}=${value}`);
  }
  const all = pending ? valuesOf(pending, context) : followersOf(command, program, typed);
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

const ACCOUNTS = new Set(["--account", "--accounts", "--canary"]);
const REGIONS = new Set(["--region", "--regions", "--aws-region"]);

/** What an option may be given; of accounts, Regions and environments those of `aec.yml`. */
function valuesOf({ long = "", argChoices }: Option, context: Context): string[] {
  if (argChoices) return [...argChoices];
  try {
    const { accounts = [], notify } = context.settings.section;
    if (ACCOUNTS.has(long)) return accounts.map(({ name }) => name);
    if (REGIONS.has(long))
      return [...new Set([...(notify?.regions ?? []), ...accounts.flatMap(({ regions = [] }) => regions)])];
    if (long === "--env") return [...context.environments()];
  } catch (error) {
    // A broken aec.yml is told by the command that needs it.
    context.out.trace(messageOf(error));
  }
  return [];
}
