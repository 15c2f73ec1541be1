import { RESOURCE_TYPES, type ResourceType, typeName } from "../agents/kinds.ts";
import type { Account } from "../clouddriver/client.ts";
import { usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/** One thing to be made fresh; the name `*` stands for all of its kind in the account and Region. */
export interface WorkItem {
  provider: "aws";
  type: ResourceType;
  /** Spinnaker's name of the account. */
  account: string;
  region: string;
  name: string;
}

export interface RefreshArguments {
  names: readonly string[];
  account?: string | undefined;
  region?: string | undefined;
  type?: ResourceType | undefined;
}

/** Turns arguments into work. Throws a usage error, with near misses, for what Spinnaker does not have. */
export function workItems(args: RefreshArguments, accounts: readonly Account[]): WorkItem[] {
  const account = pickAccount(args.account, accounts);
  const regions = args.region === undefined ? account.regions : [pickRegion(args.region, account)];
  if (regions.length === 0)
    throw usageError("no-regions", `account "${account.name}" has no Regions in Clouddriver`);
  if (args.names.length === 0) {
    const types = args.type === undefined ? RESOURCE_TYPES : [args.type];
    return regions.flatMap((region) => types.map((type) => item(type, account, region, "*")));
  }
  const [region, ...more] = regions;
  if (region === undefined || more.length > 0) {
    throw usageError(
      "region-needed",
      `account "${account.name}" has ${regions.length} Regions: names need one of them`,
      {
        hint: `add --region, one of ${regions.join(", ")}`,
      },
    );
  }
  const type = args.type ?? "server-group";
  return [...new Set(args.names)].map((name) => item(type, account, region, name));
}

function item(type: ResourceType, account: Account, region: string, name: string): WorkItem {
  return { provider: "aws", type, account: account.name, region, name };
}

function pickAccount(name: string | undefined, accounts: readonly Account[]): Account {
  const aws = accounts.filter(({ provider }) => provider === "aws");
  const names = aws.map((account) => account.name);
  if (names.length === 0) {
    throw usageError("no-aws", "this Clouddriver has no AWS account", {
      hint: "is aws.enabled there, and is --clouddriver-url the right Spinnaker?",
    });
  }
  if (name === undefined) {
    throw usageError("account-needed", "no account is named", {
      hint: `add --account, one of ${names.join(", ")}`,
    });
  }
  const found = aws.find((account) => account.name === name);
  if (found) return found;
  const other = accounts.find((account) => account.name === name);
  if (other) {
    throw usageError("account-not-aws", `account "${name}" is of provider "${other.provider}", not aws`, {
      hint: `AWS accounts: ${names.join(", ")}`,
    });
  }
  const suggestion = nearest(name, names);
  throw usageError("unknown-account", `Clouddriver has no account "${name}"`, {
    hint: suggestion ? `did you mean "${suggestion}"?` : `it has: ${names.join(", ")}`,
  });
}

function pickRegion(region: string, account: Account): string {
  if (account.regions.includes(region)) return region;
  const suggestion = nearest(region, account.regions);
  throw usageError("unknown-region", `account "${account.name}" has no Region "${region}"`, {
    hint: suggestion ? `did you mean "${suggestion}"?` : `it has: ${account.regions.join(", ")}`,
  });
}

/** `server group app-v001 in prod/us-east-1`. */
export function itemText({ type, account, region, name }: WorkItem): string {
  return `${name === "*" ? `all ${typeName(type)}s` : `${typeName(type)} ${name}`} in ${account}/${region}`;
}
