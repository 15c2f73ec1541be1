import type { Clouddriver } from "../clouddriver/client.ts";
import { orderFree } from "../order-free.ts";
import type { WorkItem } from "./items.ts";

/** What the cache shows of a work item; compared before and after, and with what an event says. */
export interface CachedState {
  present: boolean;
  /** Changes whenever anything of it changes; undefined for work items named `*`. */
  digest: string | undefined;
  /** What is cached, for work items named `*`. */
  ids: readonly string[] | undefined;
}

/** Reads what the cache shows of the item now. */
export async function readBack(clouddriver: Clouddriver, item: WorkItem): Promise<CachedState> {
  const { type, account, region, name } = item;
  if (name === "*") {
    const ids = await cachedIds(clouddriver, item);
    return { present: ids.length > 0, digest: undefined, ids };
  }
  if (type === "server-group") return single(await clouddriver.serverGroup(account, region, name));
  if (type === "load-balancer") {
    const found = await clouddriver.loadBalancers(account, region, name);
    return found.length > 0 ? single(found) : single(undefined);
  }
  const groups = await clouddriver.securityGroups(account, region);
  const matches = groups.filter((group) => group.id === name || group.name === name);
  const details = await Promise.all(
    matches.map((group) => clouddriver.securityGroup(account, region, group)),
  );
  const present = details.filter((detail) => detail !== undefined);
  return present.length > 0 ? single(present) : single(undefined);
}

/** Names of the item's kind that the cache has in its account and Region. */
export async function cachedIds(
  clouddriver: Clouddriver,
  { type, account, region }: WorkItem,
): Promise<string[]> {
  if (type === "server-group") return clouddriver.names("serverGroups", account, region);
  if (type === "load-balancer") return clouddriver.names("loadBalancers", account, region);
  return (await clouddriver.securityGroups(account, region)).map(({ name }) => name);
}

/** Clouddriver keeps sets, whose order means nothing. */
function single(value: object | undefined): CachedState {
  return { present: value !== undefined, digest: value && JSON.stringify(orderFree(value)), ids: undefined };
}
