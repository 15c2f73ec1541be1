import { groupNames } from "../aws/auto-scaling.ts";
import { securityGroupIds } from "../aws/ec2.ts";
import { placeOf } from "../aws/places.ts";
import type { Account, Clouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { ExpectedError } from "../errors.ts";
import type { WorkItem } from "./items.ts";

/** Kinds whose ids AWS can be asked for. */
export const AUDITED = ["server-group", "security-group"] as const;
export type AuditedType = (typeof AUDITED)[number];

/** AWS and the cache side by side, for one kind in one account and Region. */
export interface Audit {
  type: AuditedType;
  account: string;
  region: string;
  inAws: number | null;
  inCache: number;
  /** In AWS, and not in the cache. */
  missing: string[];
  /** In the cache, and not in AWS. */
  ghosts: string[];
  /** Why AWS could not be asked. */
  unknown: string | null;
}

/** Asks AWS, with the account's role, and the cache; a Region that AWS does not answer for is unknown, not empty. */
export async function audit(
  context: Context,
  clouddriver: Clouddriver,
  account: Account,
  region: string,
  type: AuditedType,
): Promise<Audit> {
  const cached = await cachedIds(clouddriver, account.name, region, type);
  const common = { type, account: account.name, region, inCache: cached.length };
  try {
    const place = await placeOf(context, account.awsAccountId, region);
    const found =
      type === "server-group" ? await groupNames(context, place) : await securityGroupIds(context, place);
    return { ...common, inAws: found.length, ...compare(found, cached), unknown: null };
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    return { ...common, inAws: null, missing: [], ghosts: [], unknown: error.message };
  }
}

/** What has to be refreshed to make both sides equal. */
export function repairs({ type, account, region, missing, ghosts }: Audit): WorkItem[] {
  return [...missing, ...ghosts].map((name) => ({ provider: "aws", type, account, region, name }));
}

function compare(inAws: readonly string[], inCache: readonly string[]) {
  const [aws, cache] = [new Set(inAws), new Set(inCache)];
  return {
    missing: [...aws].filter((id) => !cache.has(id)).toSorted(),
    ghosts: [...cache].filter((id) => !aws.has(id)).toSorted(),
  };
}

async function cachedIds(
  clouddriver: Clouddriver,
  account: string,
  region: string,
  type: AuditedType,
): Promise<string[]> {
  if (type === "server-group") return clouddriver.names("serverGroups", account, region);
  return (await clouddriver.securityGroups(account, region)).map(({ id }) => id);
}
