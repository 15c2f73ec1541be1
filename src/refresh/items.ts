import {
  agentsOf,
  GLOBAL_REGION,
  isAlways,
  isGlobal,
  providerOf,
  RESOURCE_TYPES,
  type ResourceType,
  typeName,
} from "../agents/kinds.ts";
import type { Account } from "../clouddriver/accounts.ts";
import { usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/** One thing to be made fresh; the name `*` stands for all of its kind in the account and Region. */
export interface WorkItem {
  provider: "aws" | "ecs";
  type: ResourceType;
  /** Spinnaker's name of the account. */
  account: string;
  /** `global` for kinds that belong to a whole account. */
  region: string;
  name: string;
}

/** An account of Spinnaker in a Region. */
export type AccountRegion = Pick<WorkItem, "account" | "region">;

export interface RefreshArguments {
  names: readonly string[];
  account?: string | undefined;
  region?: string | undefined;
  type?: ResourceType | undefined;
  provider?: "aws" | "ecs" | undefined;
  application?: string | undefined;
}

/**
 * Turns arguments into work. `agents` are those that Clouddriver is known to have: where nothing is named, of kinds
 * that not every Clouddriver caches only those are taken that have one. Throws a usage error, with near misses, for
 * what Spinnaker does not have.
 */
export function workItems(
  args: RefreshArguments,
  accounts: readonly Account[],
  agents: ReadonlySet<string>,
): WorkItem[] {
  const chosen = chooseAccounts(args, accounts);
  if (args.names.length > 0) return namedItems(args, chosen);
  const items = chosen.flatMap((account) => {
    const types = args.type === undefined ? typesOf(account) : [args.type];
    return types.flatMap((type) =>
      regionsFor(type, account, args).map((region) => item(type, account, region, "*")),
    );
  });
  return args.type === undefined
    ? items.filter((one) => isAlways(one.type) || agentsOf(one).some((agent) => agents.has(agent)))
    : items;
}

/** The accounts that the arguments mean, each with the Regions that are left. Throws usage errors. */
export function chooseAccounts(args: RefreshArguments, accounts: readonly Account[]): Account[] {
  const provider = providerFor(args);
  const known = accounts.filter((account) => account.provider === "aws" || account.provider === "ecs");
  if (known.length === 0) {
    throw usageError("no-aws", "this Clouddriver has no AWS account", {
      hint: "is aws.enabled there, and is --clouddriver-url the right Spinnaker?",
    });
  }
  const candidates = known.filter((account) => account.provider === (provider ?? account.provider));
  const single = args.account !== undefined || args.names.length > 0;
  const chosen =
    single || (args.region ?? args.application ?? args.provider) === undefined
      ? [pickAccount(args.account, provider, candidates, accounts)]
      : candidates;
  return inRegion(args.region, chosen);
}

/** What a kind says of its provider, unless the arguments contradict. */
function providerFor({ type, provider }: RefreshArguments): "aws" | "ecs" | undefined {
  const needed = type && providerOf(type);
  if (provider && needed && provider !== needed) {
    throw usageError("type-of-other-provider", `--type ${type} is of provider ${needed}, not ${provider}`);
  }
  return provider ?? needed;
}

function namedItems(args: RefreshArguments, [account]: readonly Account[]): WorkItem[] {
  if (!account) return [];
  const type = args.type ?? (account.provider === "ecs" ? "ecs-service" : "server-group");
  const [region, ...more] = regionsFor(type, account, args);
  if (region === undefined || more.length > 0) {
    throw usageError(
      "region-needed",
      `account "${account.name}" has ${account.regions.length} Regions: names need one of them`,
      { hint: `add --region, one of ${account.regions.join(", ")}` },
    );
  }
  return [...new Set(args.names)].map((name) => item(type, account, region, name));
}

function typesOf({ provider }: Account): ResourceType[] {
  return RESOURCE_TYPES.filter((type) => providerOf(type) === provider);
}

/** A Region narrows to what is in it, so that what belongs to the whole account is left out. */
function regionsFor(type: ResourceType, account: Account, args: RefreshArguments): readonly string[] {
  if (!isGlobal(type)) return account.regions;
  return args.region === undefined || args.type !== undefined ? [GLOBAL_REGION] : [];
}

function item(type: ResourceType, account: Account, region: string, name: string): WorkItem {
  return { provider: providerOf(type), type, account: account.name, region, name };
}

function pickAccount(
  name: string | undefined,
  provider: "aws" | "ecs" | undefined,
  candidates: readonly Account[],
  all: readonly Account[],
): Account {
  const names = candidates.map((account) => account.name);
  if (name === undefined) {
    throw usageError("account-needed", "no account is named", {
      hint: `add --account, one of ${names.join(", ")}`,
    });
  }
  const found = candidates.find((account) => account.name === name);
  if (found) return found;
  const other = all.find((account) => account.name === name);
  if (other) {
    const wanted = provider ?? "aws or ecs";
    throw usageError(
      "account-of-other-provider",
      `account "${name}" is of provider "${other.provider}", not ${wanted}`,
      {
        hint: names.length > 0 ? `accounts of ${wanted}: ${names.join(", ")}` : `there is none of ${wanted}`,
      },
    );
  }
  const suggestion = nearest(name, names);
  throw usageError("unknown-account", `Clouddriver has no account "${name}"`, {
    hint: suggestion ? `did you mean "${suggestion}"?` : `it has: ${names.join(", ")}`,
  });
}

/** Narrows the accounts to a Region that at least one of them has. */
function inRegion(region: string | undefined, accounts: readonly Account[]): Account[] {
  const here = accounts
    .map((account) => ({ ...account, regions: account.regions.filter((one) => (region ?? one) === one) }))
    .filter(({ regions }) => regions.length > 0);
  if (here.length > 0) return here;
  const names = accounts.map(({ name }) => `"${name}"`).join(", ");
  const regions = [...new Set(accounts.flatMap((account) => account.regions))];
  if (region === undefined || regions.length === 0)
    throw usageError("no-regions", `account ${names} has no Regions in Clouddriver`);
  const suggestion = nearest(region, regions);
  throw usageError("unknown-region", `account ${names} has no Region "${region}"`, {
    hint: suggestion ? `did you mean "${suggestion}"?` : `it has: ${regions.join(", ")}`,
  });
}

/** `server group app-v001 in prod/us-east-1`. */
export function itemText({ type, account, region, name }: WorkItem): string {
  return `${name === "*" ? `all ${typeName(type)}s` : `${typeName(type)} ${name}`} in ${account}/${region}`;
}
