import { isDeepStrictEqual } from "node:util";
import { placeOfAccount } from "../aws/places.ts";
import type { Account } from "../clouddriver/accounts.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { createDebounce } from "../debounce.ts";
import { ExpectedError } from "../errors.ts";
import { compareFacts, withUnlisted } from "./audit.ts";
import { awsFacts, type ComparedType, isCompared } from "./aws-facts.ts";
import { cachedFacts } from "./cached-facts.ts";
import type { Fact } from "./facts.ts";
import type { WorkItem } from "./items.ts";
import type { Comparison } from "./refresh.ts";

/** AWS's own answers may lag behind its changes for a moment: only two equal ones are believed. */
const LOOK_AGAIN_MS = 2_000;
const MAX_LOOKS = 5;
/** Differences that are told. */
const TOLD = 3;

/**
 * Compares with AWS what the cache shows of an item. All items of a kind in an account and Region share each question
 * to AWS; of server groups only the names among `items` are asked for.
 */
export function createVerify(
  context: Context,
  clouddriver: Clouddriver,
  accounts: readonly Account[],
  items: readonly WorkItem[],
): (item: WorkItem) => Promise<Comparison> {
  const { clock, signal } = context.world;
  const shared = createDebounce<Fact[]>(clock, 0, signal);

  const askAws = ({ account, region }: WorkItem, type: ComparedType): Promise<Fact[]> =>
    shared(`${type}/${account}/${region}`, async () => {
      const names = items
        .filter((item) => item.type === type && item.account === account && item.region === region)
        .map(({ name }) => name);
      const { awsAccountId = "" } = accounts.find(({ name }) => name === account) ?? {};
      const place = await placeOfAccount(context, awsAccountId, region);
      return awsFacts(context, place, type, names.includes("*") ? undefined : names);
    });
  const stable = async (item: WorkItem, type: ComparedType): Promise<Fact[]> => {
    const own = async () => factsOf(await askAws(item, type), item);
    let known = await own();
    for (let looks = 1; looks < MAX_LOOKS; looks += 1) {
      await clock.sleep(LOOK_AGAIN_MS, signal);
      const now = await own();
      if (isDeepStrictEqual(now, known)) break;
      known = now;
    }
    return known;
  };

  return async (item) => {
    const { type, account, region, name } = item;
    if (!isCompared(type)) return { result: "not-compared" };
    let inAws: Fact[];
    try {
      inAws = await stable(item, type);
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      const result = error.code === "aws-throttled" ? "throttled" : "failed";
      return { result, detail: `AWS could not be compared: ${error.message}`, error: error.code };
    }
    const all = name === "*";
    const read = await cachedFacts(clouddriver, type, account, region, all ? undefined : [name]);
    const inCache = all ? await withUnlisted(inAws, read, clouddriver, { type, account, region }) : read;
    const found = describe(inAws, inCache);
    if (found !== undefined) return { result: "differs", detail: found };
    const listed = !all || type !== "ecs-service";
    return { result: "same", detail: listed ? "AWS shows the same" : "what AWS has is cached so" };
  };
}

function factsOf(all: readonly Fact[], { name }: WorkItem): Fact[] {
  return name === "*" ? [...all] : all.filter((fact) => fact.id === name || fact.name === name);
}

function describe(inAws: readonly Fact[], inCache: readonly Fact[]): string | undefined {
  const { missing, ghosts, drifted } = compareFacts(inAws, inCache);
  const found = [
    ...missing.map((id) => `AWS has ${id}, the cache does not`),
    ...ghosts.map((id) => `the cache has ${id}, AWS does not`),
    ...drifted.map(({ id, differences }) => `${id}: ${differences.join("; ")}`),
  ];
  if (found.length === 0) return undefined;
  const more = found.length > TOLD ? `; and ${found.length - TOLD} more` : "";
  return found.slice(0, TOLD).join("; ") + more;
}
