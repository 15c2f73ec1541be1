import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import type { ResourceType } from "../../agents/kinds.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import type { Clock } from "../../clock.ts";
import type { Clouddriver } from "../../clouddriver/client.ts";
import type { SearchedKind } from "../../clouddriver/search.ts";
import { messageOf } from "../../errors.ts";
import type { AccountRegion, WorkItem } from "../../refresh/items.ts";
import type { Coverage } from "./coverage.ts";

type Item = Pick<WorkItem, "account" | "region" | "type" | "name">;

/** Finds what came or went in the cache without an event: a floor pass has found it, so that events are lost. */
export interface Unannounced {
  /** An event told of it. */
  announce(item: Item): void;
  /** Compares what is cached with before. Runs until the signal aborts. */
  watch(options: WatchOptions): Promise<void>;
}

interface WatchOptions {
  clouddriver: Pick<Clouddriver, "names">;
  coverage: Pick<Coverage, "all">;
  /** Events of an account and Region are lost; `why` names what nobody told of. */
  lost(why: string, place: AccountRegion): Promise<unknown>;
  signal: AbortSignal;
  log: Logger;
}

/** No shorter than a floor; the search of a large Clouddriver is not cheap. */
const LOOK_MS = 5 * 60_000;
/** An event may come after the pass that shows its change. */
const GRACE_MS = 2 * 60_000;
const MAX_ANNOUNCED = 100_000;
/** Longer than the longest floor. */
const ANNOUNCED_MS = 60 * 60_000;

const SEARCHED: Partial<Record<ResourceType, SearchedKind>> = {
  "server-group": "serverGroups",
  "security-group": "securityGroups",
  "load-balancer": "loadBalancers",
  "target-group": "targetGroups",
  instance: "instances",
};

/** `shared`: replicas see each other's events. */
export function createUnannounced(
  clock: Clock,
  shared?: Pick<LockStore, "remember" | "recall">,
): Unannounced {
  const announced = new LRUCache<string, number>({ max: MAX_ANNOUNCED });
  let before = new Map<string, Set<string>>();

  async function wasAnnounced(item: Item): Promise<boolean> {
    const keys = [item.name, "*"].map((name) => keyOf({ ...item, name }));
    const here = keys.some((key) => clock.now() - (announced.get(key) ?? 0) < ANNOUNCED_MS);
    if (here || !shared) return here;
    const elsewhere = await Promise.all(keys.map((key) => shared.recall(`aec:told/${key}`)));
    return elsewhere.some((text) => text !== undefined);
  }

  async function look({ clouddriver, coverage, lost, signal }: WatchOptions): Promise<void> {
    const proven = coverage.all().filter(({ proven: isProven }) => isProven);
    const changed: Item[] = [];
    const seen = new Map<string, Set<string>>();
    for (const { account, region, type } of proven) {
      const kind = SEARCHED[type];
      if (kind === undefined) continue;
      const now = new Set(await clouddriver.names(kind, account, region));
      const place = `${account}/${region}/${type}`;
      const last = before.get(place);
      seen.set(place, now);
      if (last === undefined) continue;
      const differing = [...now]
        .filter((name) => !last.has(name))
        .concat([...last].filter((name) => !now.has(name)));
      for (const name of differing) changed.push({ account, region, type, name });
    }
    if (changed.length > 0) await clock.sleep(GRACE_MS, signal);
    const evidence = new Map<string, Item[]>();
    for (const item of changed) {
      if (await wasAnnounced(item)) continue;
      const place = `${item.account}/${item.region}`;
      evidence.set(place, [...(evidence.get(place) ?? []), item]);
    }
    // Only a whole look counts. What is not proven is not looked at: when it is again, it is compared with nothing.
    before = seen;
    for (const [first, ...others] of evidence.values()) {
      if (first === undefined) continue;
      const more = others.length > 0 ? ` and ${others.length} more` : "";
      const { account, region, type, name } = first;
      await lost(`${type} ${name}${more} came or went, and no event told of it`, { account, region });
    }
  }

  return {
    announce(item) {
      announced.set(keyOf(item), clock.now());
      // A store that fails fails the look too.
      shared?.remember(`aec:told/${keyOf(item)}`, "1", ANNOUNCED_MS).catch(() => {});
    },
    async watch(options) {
      const { signal, log } = options;
      while (!signal.aborted) {
        await look(options).catch((error) => {
          if (!signal.aborted) log.warn({ problem: messageOf(error) }, "unannounced changes are not seen");
        });
        await clock.sleep(LOOK_MS, signal).catch(() => {});
      }
    },
  };
}

const keyOf = ({ account, region, type, name }: Item) => `${account}/${region}/${type}/${name}`;
