import { partitionOf, roleArn } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { EXIT, usageError } from "../errors.ts";
import { PERMISSIONS, policyOf, trustPolicy } from "../iam/permissions.ts";
import { nearest } from "../nearest.ts";
import type { CommandResult } from "../output/output.ts";
import { table } from "../output/table.ts";
import { topicOf } from "./sns/options.ts";

export interface IamOptions {
  topicName?: string | undefined;
  account?: string | undefined;
  /** ARN of who enters the roles. */
  trust?: string | undefined;
  externalId?: string | undefined;
  check?: boolean | undefined;
  regions?: string[] | undefined;
  accounts?: string[] | undefined;
}

/** `aec iam`: the least-privilege policy of the named commands, or of all; with --check, what is missing of it. */
export async function run(
  context: Context,
  words: readonly string[],
  options: IamOptions,
): Promise<CommandResult> {
  const { settings } = context;
  const { topicName } = topicOf(context, options);
  const commands = words.length === 0 ? Object.keys(PERMISSIONS) : named(words);
  if (options.check) return checked(context, commands, topicName, options);
  if (options.trust !== undefined) {
    if (!/^arn:aws[a-z-]*:iam::\d{12}:(role|user|root)/.test(options.trust)) {
      throw usageError(
        "bad-principal",
        `--trust: "${options.trust}" is not the ARN of a role, user or account`,
        {
          hint: "such as arn:aws:iam::012345678901:role/aec; aws sts get-caller-identity tells yours",
        },
      );
    }
    const policy = trustPolicy(options.trust, options.externalId);
    return { data: { trust: policy }, text: () => JSON.stringify(policy, null, 2) };
  }
  const regions = options.regions ?? settings.section.notify?.regions ?? [settings.awsRegion.value ?? "*"];
  const partition = partitionOf(regions[0] ?? "");
  const roles = (settings.section.accounts ?? []).flatMap(({ assumeRole, awsAccountId }) =>
    assumeRole && awsAccountId !== options.account
      ? [roleArn(assumeRole, { partition, accountId: awsAccountId })]
      : [],
  );
  const scope = {
    partition,
    accountId: options.account ?? "*",
    regions,
    topicName,
    roles: [...new Set(roles)],
  };
  const policy = policyOf(commands, scope);
  return { data: { commands, policy }, text: () => JSON.stringify(policy, null, 2) };
}

async function checked(
  context: Context,
  commands: readonly string[],
  topicName: string,
  options: IamOptions,
): Promise<CommandResult> {
  const [{ placesOf }, { checkPermissions }, { readInPlaces }] = await Promise.all([
    import("../aws/places.ts"),
    import("../iam/check.ts"),
    import("./in-places.ts"),
  ]);
  return readInPlaces(await placesOf(context, options), async (place) => {
    const actions = await checkPermissions(context, place, commands, topicName);
    const denied = actions.filter(({ result }) => result === "denied");
    return {
      data: { accountId: place.accountId, region: place.region, actions },
      exit: denied.length > 0 ? EXIT.credentials : EXIT.ok,
      text: (paint) =>
        [
          table(
            ["ACTION", "RESULT", "REASON"],
            actions.map(({ action, result, reason }) => [
              action,
              result === "denied" ? paint.red(result) : result === "allowed" ? paint.green(result) : result,
              reason,
            ]),
          ),
          ...(denied.length > 0
            ? [`allow them with:  aec iam ${commands.join(" ")} --account ${place.accountId}`]
            : []),
        ].join("\n"),
    };
  });
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
