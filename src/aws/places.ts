import type { EnvironmentConfig } from "../config/schema.ts";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { assumedRole, callerIdentity, type Identity } from "./identity.ts";

/** Gives credentials when a client needs them. */
export type Credentials = () => Promise<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}>;

/** One account and Region in which a command works. */
export interface Place extends Identity {
  region: string;
  /** Spinnaker's name of the account, where `aec.yml` has it. */
  account: string | undefined;
  /** Of an assumed role; undefined: the command's own. */
  credentials: Credentials | undefined;
}

export interface PlaceOptions {
  regions?: string[] | undefined;
  /** Names of `aec.yml`. */
  accounts?: string[] | undefined;
}

type ConfiguredAccount = NonNullable<EnvironmentConfig["accounts"]>[number];

/**
 * Where a command works: --regions, else the Region of --aws-region, all of `notify.regions`, AWS_REGION, or that of the
 * AWS profile; in the accounts of --accounts, else in all of `aec.yml` that can be reached when one has a role, else in
 * the caller's own.
 * Throws usage errors for names that are not there.
 */
export async function placesOf(context: Context, options: PlaceOptions): Promise<Place[]> {
  const regions = regionsOf(context, options.regions);
  const caller = await callerIdentity(context, regions[0] ?? "");
  const configured = context.settings.section.accounts ?? [];
  const chosen = options.accounts?.map((name) => pick(name, configured)) ?? reachable(configured, caller);
  if (chosen.length === 0) {
    return regions.map((region) => ({ region, ...caller, account: undefined, credentials: undefined }));
  }
  const places = chosen.flatMap((account) => {
    const asked = options.regions !== undefined || account.regions === undefined;
    const here = asked ? regions : regions.filter((region) => account.regions?.includes(region));
    return here.map((region) => placeIn(context, account, caller, region));
  });
  if (places.length === 0) {
    throw usageError("no-place", `no account of aec.yml has any of the Regions ${regions.join(", ")}`, {
      hint: "compare notify.regions with the regions of its accounts, or name one with --regions",
    });
  }
  // Several Spinnaker accounts may look at one AWS account.
  return [...new Map(places.map((place) => [`${place.accountId}/${place.region}`, place])).values()];
}

/** The Regions of a command, most wanted first. Throws where none is named, and for what is none. */
export function regionsOf({ settings }: Context, flag?: readonly string[]): string[] {
  const { value, origin } =
    settings.awsRegion.value === undefined ? settings.profileRegion : settings.awsRegion;
  const single = value === undefined ? undefined : [value];
  const configured = settings.section.notify?.regions;
  const [regions, from] = flag
    ? [flag, "--regions"]
    : origin === "--aws-region" || !configured
      ? [single, origin]
      : [configured, "notify.regions"];
  if (!regions || regions.length === 0) {
    throw usageError("aws-no-region", "no AWS Region is named", {
      hint: "add --aws-region us-east-1, export AWS_REGION, or set notify.regions in aec.yml",
    });
  }
  for (const region of regions) {
    if (!isRegion(region)) {
      throw usageError("aws-bad-region", `"${region}" (${from}) is not an AWS Region`, {
        hint: "Regions look like us-east-1",
      });
    }
  }
  return [...new Set(regions)];
}

/** The place of an ARN's account and Region: with the role of `aec.yml` where the account has one there. */
export async function placeOf(context: Context, accountId: string, region: string): Promise<Place> {
  const account = context.settings.section.accounts?.find(({ awsAccountId }) => awsAccountId === accountId);
  const caller = await callerIdentity(context, region);
  return account
    ? placeIn(context, account, caller, region)
    : { region, ...caller, account: undefined, credentials: undefined };
}

/**
 * The place of a Spinnaker account in AWS. Throws a usage error where neither a role of `aec.yml` nor the credentials
 * lead into that AWS account: another one's answers must not be taken for it.
 */
export async function placeOfAccount(context: Context, accountId: string, region: string): Promise<Place> {
  const place = await placeOf(context, accountId, region);
  if (place.accountId === accountId) return place;
  throw usageError(
    "account-unreachable",
    `the credentials are of AWS account ${place.accountId}, not of ${accountId || "one that Clouddriver tells"}`,
    {
      hint: "add the account to aec.yml, with assumeRole: role/spinnakerManaged, or use its own --aws-profile",
    },
  );
}

/** `012345678901, us-east-1`. */
export function placeName({ accountId, region }: Pick<Place, "accountId" | "region">): string {
  return `${accountId}, ${region}`;
}

/** Whether a name looks like that of a Region. */
export function isRegion(name: string): boolean {
  return /^[a-z]{2,}(-[a-z]+)+-\d+$/.test(name);
}

/** The partition of a Region, by its name. */
export function partitionOf(region: string): string {
  const [, partition] = PARTITIONS.find(([prefix]) => region.startsWith(prefix)) ?? [];
  return partition ?? "aws";
}

const PARTITIONS = [
  ["cn-", "aws-cn"],
  ["us-gov-", "aws-us-gov"],
  ["eusc-", "aws-eusc"],
  ["us-isob-", "aws-iso-b"],
  ["us-iso-", "aws-iso"],
] as const;

/** `role/spinnakerManaged` of Spinnaker's account configuration as an ARN; a whole ARN stays. */
export function roleArn(role: string, { partition, accountId }: Identity): string {
  return role.startsWith("arn:") ? role : `arn:${partition}:iam::${accountId}:${role}`;
}

function placeIn(context: Context, account: ConfiguredAccount, caller: Identity, region: string): Place {
  const identity = { accountId: account.awsAccountId, partition: caller.partition };
  const { assumeRole, sessionName, externalId } = account;
  if (assumeRole === undefined && account.awsAccountId !== caller.accountId) {
    throw usageError(
      "account-unreachable",
      `account "${account.name}" (${account.awsAccountId}) is not the one of the credentials (${caller.accountId})`,
      { hint: `add assumeRole: role/spinnakerManaged to it in aec.yml, or use its own --aws-profile` },
    );
  }
  const own = account.awsAccountId === caller.accountId || assumeRole === undefined;
  const role = { arn: roleArn(assumeRole ?? "", identity), sessionName, externalId };
  return {
    region,
    ...identity,
    account: account.name,
    credentials: own ? undefined : assumedRole(context, region, role),
  };
}

/** Empty where no account has a role: then everything is in the caller's account. */
function reachable(accounts: readonly ConfiguredAccount[], caller: Identity): ConfiguredAccount[] {
  if (!accounts.some(({ assumeRole }) => assumeRole)) return [];
  return accounts.filter(
    ({ assumeRole, awsAccountId }) => assumeRole !== undefined || awsAccountId === caller.accountId,
  );
}

function pick(name: string, accounts: readonly ConfiguredAccount[]): ConfiguredAccount {
  const found = accounts.find((account) => account.name === name);
  if (found) return found;
  const names = accounts.map((account) => account.name);
  const suggestion = nearest(name, names);
  throw usageError("unknown-account", `--accounts: aec.yml has no account "${name}"`, {
    hint: suggestion
      ? `did you mean "${suggestion}"?`
      : names.length > 0
        ? `it has: ${names.join(", ")}`
        : "accounts: lists them, with awsAccountId and assumeRole",
  });
}
