import type { ResourceType } from "../agents/kinds.ts";
import type { Account } from "../clouddriver/accounts.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { SearchedKind } from "../clouddriver/search.ts";
import { usageError } from "../errors.ts";
import { chooseAccounts, type RefreshArguments, type WorkItem } from "./items.ts";

/** Kinds whose names tell the application that they belong to. */
const NAMED_BY_APPLICATION = [
  ["server-group", "serverGroups"],
  ["security-group", "securityGroups"],
  ["load-balancer", "loadBalancers"],
] as const satisfies readonly (readonly [ResourceType, SearchedKind])[];

/**
 * What the cache knows of an application in the accounts and Regions that the arguments leave. What AWS alone has yet
 * is not known by its application: it comes in with the agents' runs. Throws a usage error where nothing is cached.
 */
export async function applicationItems(
  clouddriver: Clouddriver,
  application: string,
  args: RefreshArguments,
  accounts: readonly Account[],
): Promise<WorkItem[]> {
  if (args.names.length > 0) {
    throw usageError("names-and-application", "--application stands for all names of it: give no names");
  }
  const kinds = NAMED_BY_APPLICATION.filter(([type]) => type === (args.type ?? type));
  if (kinds.length === 0 || args.provider === "ecs") {
    throw usageError("not-by-application", "Clouddriver does not tell the application of these", {
      hint: `--application goes with --type ${NAMED_BY_APPLICATION.map(([type]) => type).join(", ")}`,
    });
  }
  const chosen = chooseAccounts({ ...args, provider: "aws", application }, accounts);
  const found = await Promise.all(
    kinds.map(async ([type, kind]) =>
      (await clouddriver.ofApplication(kind, application))
        .filter(({ account, region }) =>
          chosen.some(({ name, regions }) => name === account && regions.includes(region)),
        )
        .map((place): WorkItem => ({ provider: "aws", type, ...place })),
    ),
  );
  const items = found.flat();
  if (items.length > 0) return items;
  throw usageError("unknown-application", `nothing of application "${application}" is cached there`, {
    hint: "refresh the account (--account NAME) if it is new; names are those of Spinnaker's applications",
  });
}
