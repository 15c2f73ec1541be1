import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { PERMISSIONS, policyOf } from "../iam/permissions.ts";
import { nearest } from "../nearest.ts";
import type { CommandResult } from "../output/output.ts";

export interface IamOptions {
  topicName?: string | undefined;
  account?: string | undefined;
}

/** `aec iam`: the least-privilege policy of the named commands, or of all. Calls nothing. */
export async function run(
  context: Context,
  words: readonly string[],
  options: IamOptions,
): Promise<CommandResult> {
  const { settings } = context;
  const commands = words.length === 0 ? Object.keys(PERMISSIONS) : named(words);
  const policy = policyOf(commands, {
    partition: "aws",
    accountId: options.account ?? "*",
    regions: settings.section.notify?.regions ?? [settings.awsRegion.value ?? "*"],
    topicName: options.topicName ?? settings.section.notify?.topicName ?? `aec-${settings.environment.value}`,
  });
  return { data: { commands, policy }, text: () => JSON.stringify(policy, null, 2) };
}

/** `sns create recorder status` → the two commands; a group's name alone stands for all of it. */
function named(words: readonly string[]): string[] {
  const known = Object.keys(PERMISSIONS);
  const found: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const pair = `${word} ${words[index + 1] ?? ""}`;
    const group = known.filter((command) => command.startsWith(`${word} `));
    if (known.includes(pair)) {
      found.push(pair);
      index += 1;
    } else if (known.includes(word)) found.push(word);
    else if (group.length > 0) found.push(...group);
    else {
      const suggestion = nearest(word, [...new Set(known.flatMap((command) => command.split(" ")))]);
      throw usageError("unknown-command", `"${word}" is no command that calls AWS`, {
        hint: suggestion ? `did you mean "${suggestion}"?` : `there are: ${known.join(", ")}`,
      });
    }
  }
  return [...new Set(found)];
}
