import type { Clock } from "../../clock.ts";
import type { Clouddriver } from "../../clouddriver/client.ts";
import { allLoadBalancers, isV2, type LoadBalancerSummary } from "../../clouddriver/load-balancers.ts";
import { createDebounce } from "../../debounce.ts";
import type { AccountRegion } from "../../refresh/items.ts";
import type { Pace } from "./pace.ts";

/** Second-generation balancers, one by one: the agent reads them all, with five calls for each. */
export interface Balancers {
  /** Refreshes one on demand, its target groups and their health included; false where that does not work. */
  refresh(place: AccountRegion, name: string): Promise<boolean>;
  /** Those of application type that any of these target groups belongs to; undefined where another type has one of them. */
  ofTargetGroups(place: AccountRegion, targetGroups: readonly string[]): Promise<string[] | undefined>;
  /** Whether single calls for so many cost more than the agent that reads all of the account and Region. */
  costMore(place: AccountRegion, count: number): Promise<boolean>;
}

/** Measured on Clouddriver 5.90: on demand 7 for one with one target group; the agent 2, and 5 for each. */
const CALLS_ON_DEMAND = 7;
const CALLS_OF_ALL = 2;
const CALLS_FOR_EACH = 5;
/** A balancer that is newer is found by the second try. */
const KNOWN_MS = 30_000;

export function createBalancers(
  { clouddriver, clock, signal }: { clouddriver: Clouddriver; clock: Clock; signal: AbortSignal },
  { debounceMs, pace }: { debounceMs: number; pace: Pace },
): Balancers {
  const debounce = createDebounce<boolean>(clock, debounceMs, signal);
  let known: { all: Promise<LoadBalancerSummary[]>; at: number } | undefined;

  const inPlace = async ({ account, region }: AccountRegion, again = false) => {
    if (again || known === undefined || clock.now() - known.at > KNOWN_MS) {
      known = { all: allLoadBalancers(clouddriver), at: clock.now() };
      known.all.catch(() => {
        known = undefined;
      });
    }
    const all = await known.all;
    return all.filter(
      (balancer) => balancer.account === account && balancer.region === region && isV2(balancer),
    );
  };
  const having = (balancers: readonly LoadBalancerSummary[], targetGroup: string) =>
    balancers.filter(({ targetGroups }) => targetGroups?.some(({ name }) => name === targetGroup));

  return {
    refresh: ({ account, region }, name) =>
      debounce(`${account}/${region}/${name}`, () =>
        pace.inTurn({ account, region, type: "load-balancer" }, async () => {
          const { status, body } = await clouddriver.refresh("aws/LoadBalancer", {
            account,
            region,
            loadBalancerName: name,
            loadBalancerType: "application",
          });
          // Of one that is gone the agent says nothing, and evicts nothing.
          return status === 202 && (body?.cachedIdentifiersByType?.loadBalancers ?? []).length > 0;
        }),
      ),
    async ofTargetGroups(place, targetGroups) {
      let balancers = await inPlace(place);
      if (targetGroups.some((name) => having(balancers, name).length === 0))
        balancers = await inPlace(place, true);
      const found = targetGroups.flatMap((name) => having(balancers, name));
      if (found.some(({ loadBalancerType }) => loadBalancerType !== "application")) return undefined;
      return [...new Set(found.map(({ name }) => name))];
    },
    costMore: async (place, count) =>
      count * CALLS_ON_DEMAND >= CALLS_OF_ALL + CALLS_FOR_EACH * (await inPlace(place)).length,
  };
}
