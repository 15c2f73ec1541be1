import { createHash } from "node:crypto";
import type { ResourceType } from "../agents/kinds.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { SearchedKind } from "../clouddriver/search.ts";
import { orderFree } from "../order-free.ts";
import type { WorkItem } from "./items.ts";

/** What the cache shows of a work item; compared before and after, and with what an event says. */
export interface CachedState {
  /** Undefined where Clouddriver shows nothing of the kind. */
  present: boolean | undefined;
  /** Changes whenever anything of it changes; undefined where only presence shows, and for work items named `*`. */
  digest: string | undefined;
  /** What is cached, for work items named `*`. */
  ids: readonly string[] | undefined;
}

const UNSEEN: CachedState = { present: undefined, digest: undefined, ids: undefined };

/** Reads what the cache shows of the item now. */
export async function readBack(clouddriver: Clouddriver, item: WorkItem): Promise<CachedState> {
  const view = VIEWS[item.type];
  if (item.name === "*") {
    const ids = await view.ids?.(clouddriver, item);
    return ids ? { present: ids.length > 0, digest: undefined, ids } : UNSEEN;
  }
  if (view.one) {
    const found = await view.one(clouddriver, item);
    return { present: found !== undefined, digest: found && digestOf(found), ids: undefined };
  }
  const ids = await view.ids?.(clouddriver, item);
  return ids ? { present: ids.includes(item.name), digest: undefined, ids: undefined } : UNSEEN;
}

/** Clouddriver keeps sets, whose order means nothing. A hash, since a thousand documents are not small. */
function digestOf(found: object): string {
  return createHash("sha256")
    .update(JSON.stringify(orderFree(found)))
    .digest("base64");
}

/** Names of the item's kind that the cache has in its account and Region; empty where none are listed. */
export async function cachedIds(clouddriver: Clouddriver, item: WorkItem): Promise<string[]> {
  return (await VIEWS[item.type].ids?.(clouddriver, item)) ?? [];
}

/** How Clouddriver shows one kind; it has no view at all of some. */
interface View {
  /** Everything of that name, with all attributes; absent: only presence shows. */
  one?: (clouddriver: Clouddriver, item: WorkItem) => Promise<object | undefined>;
  /** Names of everything in the item's account and Region; absent: nothing lists them. */
  ids?: (clouddriver: Clouddriver, item: WorkItem) => Promise<string[]>;
}

const segment = encodeURIComponent;

const VIEWS: Readonly<Record<ResourceType, View>> = {
  "server-group": {
    one: (clouddriver, { account, region, name }) => clouddriver.serverGroup(account, region, name),
    ids: searched("serverGroups"),
  },
  "security-group": {
    async one(clouddriver, { account, region, name }) {
      const groups = await clouddriver.securityGroups(account, region);
      const matches = groups.filter((group) => group.id === name || group.name === name);
      const details = await Promise.all(
        matches.map((group) => clouddriver.securityGroup(account, region, group)),
      );
      return someOf(details.filter((detail) => detail !== undefined));
    },
    async ids(clouddriver, { account, region }) {
      return (await clouddriver.securityGroups(account, region)).map(({ name }) => name);
    },
  },
  "load-balancer": {
    one: async (clouddriver, { account, region, name }) =>
      someOf(await clouddriver.loadBalancers(account, region, name)),
    ids: searched("loadBalancers"),
  },
  "target-group": { ids: searched("targetGroups") },
  instance: {
    one: (clouddriver, { account, region, name }) =>
      clouddriver.one(`/instances/${segment(account)}/${segment(region)}/${segment(name)}`),
    ids: searched("instances"),
  },
  image: {
    one: (clouddriver, { account, region, name }) =>
      clouddriver.one(`/aws/images/${segment(account)}/${segment(region)}/${segment(name)}`),
  },
  // No controller of Clouddriver shows templates or certificates.
  "launch-template": {},
  certificate: {},
  subnet: listed(() => "/subnets/aws", ["id"]),
  vpc: listed(() => "/networks/aws", ["id", "name"]),
  "key-pair": listed(() => "/keyPairs", ["keyName"]),
  "elastic-ip": listed(
    ({ account, region }) => `/elasticIps/${segment(account)}?region=${segment(region)}`,
    ["address"],
  ),
  "iam-role": listed(() => "/roles/aws", ["name", "id"]),
  stack: listed(
    ({ account, region }) =>
      `/aws/cloudFormation/stacks?accountName=${segment(account)}&region=${segment(region)}`,
    ["stackName", "stackId"],
  ),
  function: listed(
    ({ account, region }) => `/functions?account=${segment(account)}&region=${segment(region)}`,
    ["functionName", "functionArn"],
  ),
  "ecs-service": {
    one: (clouddriver, { account, region, name }) => clouddriver.serverGroup(account, region, name),
  },
};

function searched(kind: SearchedKind): NonNullable<View["ids"]> {
  return (clouddriver, { account, region }) => clouddriver.names(kind, account, region);
}

/** Kinds of which one route answers all; an entry is named by any of `names`, of which the first is listed. */
function listed(path: (item: WorkItem) => string, names: readonly [string, ...string[]]): View {
  const entries = async (clouddriver: Clouddriver, item: WorkItem) => {
    const all = await clouddriver.list<Record<string, unknown>>(path(item));
    return all.filter(
      ({ account, accountName, region }) =>
        (account ?? accountName) === item.account && (region ?? item.region) === item.region,
    );
  };
  return {
    async one(clouddriver, item) {
      const all = await entries(clouddriver, item);
      return someOf(all.filter((entry) => names.some((field) => entry[field] === item.name)));
    },
    ids: async (clouddriver, item) =>
      (await entries(clouddriver, item)).flatMap(({ [names[0]]: id }) => (typeof id === "string" ? id : [])),
  };
}

function someOf<T>(found: T[]): T[] | undefined {
  return found.length > 0 ? found : undefined;
}
