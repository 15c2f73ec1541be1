import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import type { Clouddriver, ServerGroup } from "../../clouddriver/client.ts";
import { messageOf } from "../../errors.ts";
import type { RunForItem } from "../running/agent-runs.ts";
import type { BalancerPlace, Balancers } from "../running/balancers.ts";

/** Looks at the health of what is being deployed: AWS tells of no change of it. */
export interface Health {
  /** A server group changes: what balances it is looked at now, and as often as ever until it is healthy. */
  watch(place: BalancerPlace, serverGroup: string): void;
  /** `ACCOUNT/REGION/NAME` of the groups that are looked at now. */
  watched(): string[];
  /** Whether the last event of one of them came within that time, ms. */
  isBusy(withinMs: number): boolean;
}

const BALANCERS = "AmazonApplicationLoadBalancerCachingAgent";
const CLASSIC_STATE = "AmazonLoadBalancerInstanceStateCachingAgent";
/** What an event tells of shows in the balancer by then. */
const SETTLED_MS = 10_000;
/** What does not become healthy for so long after its last event is left to the floor. */
const GIVE_UP_MS = 30 * 60_000;

export function createHealth({
  clouddriver,
  balancers,
  run,
  isHeld,
  everyMs,
  clock,
  signal,
  log,
}: {
  clouddriver: Pick<Clouddriver, "serverGroup">;
  balancers: Balancers;
  run: RunForItem;
  /** Agents that are not left to the floor look by themselves. */
  isHeld(agent: string): Promise<boolean>;
  /** Between two looks, ms. */
  everyMs: number;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Health {
  /** When each group's last event came, by place. */
  const lanes = new Map<string, Map<string, number>>();

  async function look(place: BalancerPlace, groups: Map<string, number>): Promise<void> {
    const began = clock.now();
    const found = await readAll(place, groups.keys());
    const targetGroups = [...new Set([...found.values()].flatMap((group) => group?.targetGroups ?? []))];
    const classic = [...found.values()].some((group) => (group?.loadBalancers ?? []).length > 0);
    await Promise.all([lookAtBalancers(place, targetGroups), classic && runHeld(place, CLASSIC_STATE)]);
    const after = await readAll(place, groups.keys());
    for (const [name, since] of groups) {
      const settled = began - since >= SETTLED_MS && isHealthy(after.get(name));
      if (settled || isUnbalanced(after.get(name)) || began - since > GIVE_UP_MS) groups.delete(name);
    }
  }

  const readAll = async ({ account, region }: BalancerPlace, names: Iterable<string>) =>
    new Map(
      await Promise.all(
        [...names].map(async (name) => [name, await clouddriver.serverGroup(account, region, name)] as const),
      ),
    );

  async function lookAtBalancers(place: BalancerPlace, targetGroups: readonly string[]): Promise<void> {
    if (targetGroups.length === 0 || !(await isHeld(`${place.account}/${place.region}/${BALANCERS}`))) return;
    const names = await balancers.ofTargetGroups(place, targetGroups);
    if (names === undefined || (await balancers.costMore(place, names.length))) {
      await runHeld(place, BALANCERS);
      return;
    }
    await Promise.all(names.map((name) => balancers.refresh(place, name)));
  }

  async function runHeld({ account, region }: BalancerPlace, name: string): Promise<void> {
    const agent = `${account}/${region}/${name}`;
    if (await isHeld(agent)) await run(agent, { account, region, type: "load-balancer" });
  }

  async function lookUntilHealthy(place: BalancerPlace, groups: Map<string, number>): Promise<void> {
    while (groups.size > 0 && !signal.aborted) {
      await look(place, groups).catch((error) => {
        if (!signal.aborted) log.warn({ ...place, problem: messageOf(error) }, "health is not seen");
      });
      if (groups.size > 0) await clock.sleep(everyMs, signal).catch(() => {});
    }
    lanes.delete(keyOf(place));
  }

  return {
    watch(place, serverGroup) {
      const known = lanes.get(keyOf(place));
      if (known) {
        known.set(serverGroup, clock.now());
        return;
      }
      const groups = new Map([[serverGroup, clock.now()]]);
      lanes.set(keyOf(place), groups);
      void lookUntilHealthy(place, groups);
    },
    isBusy: (withinMs) =>
      [...lanes.values()].some((groups) =>
        [...groups.values()].some((since) => clock.now() - since < withinMs),
      ),
    watched: () =>
      [...lanes].flatMap(([place, groups]) => [...groups.keys()].map((name) => `${place}/${name}`)),
  };
}

const keyOf = ({ account, region }: BalancerPlace) => `${account}/${region}`;

/** Gone, or all that runs of it is up; of one that is disabled nothing is. */
function isHealthy(group: ServerGroup | undefined): boolean {
  const instances = group?.instances ?? [];
  const up = instances.filter(({ healthState }) => healthState === "Up").length;
  if (group?.disabled ?? group?.isDisabled) return up === 0;
  return instances.length >= (group?.capacity?.desired ?? 0) && up === instances.length;
}

/** Nothing but EC2 itself tells of its health, by events. */
function isUnbalanced(group: ServerGroup | undefined): boolean {
  return group !== undefined && !group.targetGroups?.length && !group.loadBalancers?.length;
}
