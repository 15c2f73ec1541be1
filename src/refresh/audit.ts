import { providerOf } from "../agents/kinds.ts";
import { placeOfAccount } from "../aws/places.ts";
import type { Account } from "../clouddriver/accounts.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { ExpectedError } from "../errors.ts";
import { awsFacts, type ComparedType } from "./aws-facts.ts";
import { cachedFacts } from "./cached-facts.ts";
import { differences, type Fact } from "./facts.ts";
import type { WorkItem } from "./items.ts";

/** AWS and the cache side by side, for one kind in one account and Region. */
export interface Audit {
  type: ComparedType;
  account: string;
  region: string;
  inAws: number | null;
  inCache: number;
  /** In AWS, and not in the cache. */
  missing: string[];
  /** In the cache, and not in AWS. */
  ghosts: string[];
  /** In both, and not the same. */
  drifted: { id: string; differences: string[] }[];
  /** Why AWS could not be asked. */
  unknown: string | null;
  /** Code of that error. */
  error?: string;
}

/**
 * Asks AWS, with the account's role, and the cache; a Region that AWS does not answer for is unknown, not empty.
 * Throws "clouddriver-denied" where the user may not read the account: what is hidden must not pass for missing.
 */
export async function audit(
  context: Context,
  clouddriver: Clouddriver,
  account: Account,
  region: string,
  type: ComparedType,
): Promise<Audit> {
  const cached = await cachedFacts(clouddriver, type, account.name, region);
  const common = { type, account: account.name, region, inCache: cached.length };
  try {
    const place = await placeOfAccount(context, account.awsAccountId, region);
    const found = await awsFacts(context, place, type);
    const all = await withUnlisted(found, cached, clouddriver, { type, account: account.name, region });
    return {
      ...common,
      inCache: all.length,
      inAws: found.length,
      ...compareFacts(found, all),
      unknown: null,
    };
  } catch (error) {
    if (!(error instanceof ExpectedError) || error.code === "clouddriver-denied") throw error;
    return {
      ...common,
      inAws: null,
      missing: [],
      ghosts: [],
      drifted: [],
      unknown: error.message,
      error: error.code,
    };
  }
}

/**
 * What is listed, and what of AWS's a direct read finds beside it: ECS services are not listed, and with Fiat on lists
 * leave out what the user may not see, which a direct read refuses.
 */
export async function withUnlisted(
  inAws: readonly Fact[],
  listed: readonly Fact[],
  clouddriver: Clouddriver,
  { type, account, region }: Pick<Audit, "type" | "account" | "region">,
): Promise<Fact[]> {
  const { missing } = compareFacts(inAws, listed);
  return [...listed, ...(await cachedFacts(clouddriver, type, account, region, missing))];
}

/** What has to be refreshed to make both sides equal. */
export function repairs({ type, account, region, missing, ghosts, drifted }: Audit): WorkItem[] {
  return [...missing, ...ghosts, ...drifted.map(({ id }) => id)].map((name) => ({
    provider: providerOf(type),
    type,
    account,
    region,
    name,
  }));
}

/** Both sides by their ids. */
export function compareFacts(
  inAws: readonly Fact[],
  inCache: readonly Fact[],
): Pick<Audit, "missing" | "ghosts" | "drifted"> {
  const [aws, cache] = [byId(inAws), byId(inCache)];
  return {
    missing: [...aws.keys()].filter((id) => !cache.has(id)).toSorted(),
    ghosts: [...cache.keys()].filter((id) => !aws.has(id)).toSorted(),
    drifted: [...aws]
      .flatMap(([id, fact]) => {
        const cached = cache.get(id);
        const found = cached ? differences(fact.facts, cached.facts) : [];
        return found.length > 0 ? [{ id, differences: found }] : [];
      })
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function byId(facts: readonly Fact[]): Map<string, Fact> {
  return new Map(facts.map((fact) => [fact.id, fact]));
}
