import type { Logger } from "pino";
import type { Place, ResourceType } from "../../agents/kinds.ts";
import type { Clock } from "../../clock.ts";
import type { Clouddriver, ServerGroup } from "../../clouddriver/client.ts";
import { messageOf } from "../../errors.ts";
import type { RunForItem } from "../running/agent-runs.ts";
import type { Balancers } from "../running/balancers.ts";

/** Where server groups are; an account of Spinnaker's has those of one provider alone. */
export interface GroupPlace extends Place {
  type: "server-group" | "ecs-service";
}

export function isGroupPlace(place: Place): place is GroupPlace {
  return place.type === "server-group" || place.type === "ecs-service";
}

/** Looks at the health of what is being deployed: AWS tells of no change of it. */
export interface Health {
  /** A server group changes: what balances it is looked at now, and as often as ever until it is healthy. */
  watch(place: GroupPlace, serverGroup: string): void;
  /** Somebody works on a group: the same, without a word of when it changed. */
  include(place: GroupPlace, serverGroup: string): void;
  /** `ACCOUNT/REGION/NAME` of the groups that are looked at now. */
  watched(): string[];
  /** Whether one of that kind has changed within that time, ms. */
  isBusy(type: ResourceType, withinMs: number): boolean;
}

interface Lane {
  place: GroupPlace;
  groups: Map<string, Watched>;
}

/** Times in ms since the epoch. */
interface Watched {
  since: number;
  /** Of its last event; undefined for what is only included. */
  changedAt: number | undefined;
}

const BALANCERS = "AmazonApplicationLoadBalancerCachingAgent";
const CLASSIC_STATE = "AmazonLoadBalancerInstanceStateCachingAgent";
const TARGET_HEALTH = "TargetHealthCachingAgent";
const TASK_HEALTH = "TaskHealthCachingAgent";
/** Clocks differ, and a look takes a moment. */
const SLACK_MS = 5_000;
/** What an event tells of shows in the balancer by then. */
const SETTLED_MS = 10_000;
/** What does not become healthy for so long after its last event is left to the floor. */
const GIVE_UP_MS = 30 * 60_000;
/** A task that runs and of whose balancer nothing is known has none, or one that takes its time. */
const UNKNOWN_MS = 15 * 60_000;

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
  clouddriver: Pick<Clouddriver, "serverGroup" | "executions">;
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
  const lanes = new Map<string, Lane>();

  /** What cannot be read or run now is tried again at the next look, and keeps no other from being looked at. */
  async function look({ place, groups }: Lane): Promise<unknown> {
    const began = clock.now();
    const isEcs = place.type === "ecs-service";
    const looked = await (isEcs ? lookAtTargets(place) : lookAtBalanced(place, groups.keys())).then(
      () => undefined,
      (error: unknown) => error,
    );
    const after = await readAll(place, groups.keys());
    const isSettled = isEcs ? isServiceSettled : isGroupSettled;
    for (const [name, { since }] of groups) {
      const waitedMs = began - since;
      const settled =
        looked === undefined && after.found.has(name) && isSettled(after.found.get(name), waitedMs);
      if (settled || waitedMs > GIVE_UP_MS) groups.delete(name);
    }
    return looked ?? after.problem;
  }

  async function lookAtBalanced(place: GroupPlace, names: Iterable<string>): Promise<void> {
    const { found } = await readAll(place, names);
    const targetGroups = [...new Set([...found.values()].flatMap((group) => group?.targetGroups ?? []))];
    const classic = [...found.values()].some((group) => (group?.loadBalancers ?? []).length > 0);
    await Promise.all([lookAtBalancers(place, targetGroups), classic && runHeld(place, CLASSIC_STATE)]);
  }

  /** All of them, since nothing reads one alone; the health of tasks is made of what is cached of it. */
  async function lookAtTargets(place: GroupPlace): Promise<void> {
    // Another replica may look, too, and an event may have run it.
    const { byAgent } = await clouddriver.executions();
    const last = byAgent.get(agentIn(place, TARGET_HEALTH))?.lastExecutionStartMs ?? 0;
    if (clock.now() - last < everyMs - SLACK_MS) return;
    if (await runHeld(place, TARGET_HEALTH)) await run(agentIn(place, TASK_HEALTH), place);
  }

  /** Those that can be read, undefined for what is not cached; and what happened to the others. */
  async function readAll({ account, region }: GroupPlace, names: Iterable<string>) {
    const found = new Map<string, ServerGroup | undefined>();
    let problem: unknown;
    await Promise.all(
      [...names].map(async (name) => {
        try {
          found.set(name, await clouddriver.serverGroup(account, region, name));
        } catch (error) {
          problem = error;
        }
      }),
    );
    return { found, problem };
  }

  async function lookAtBalancers(place: GroupPlace, targetGroups: readonly string[]): Promise<void> {
    if (targetGroups.length === 0 || !(await isHeld(agentIn(place, BALANCERS)))) return;
    const names = await balancers.ofTargetGroups(place, targetGroups);
    if (names === undefined || (await balancers.costMore(place, names.length))) {
      await runHeld(place, BALANCERS);
      return;
    }
    await Promise.all(names.map((name) => balancers.refresh(place, name)));
  }

  /** False where it keeps its own pace. */
  async function runHeld(place: GroupPlace, name: string): Promise<boolean> {
    const agent = agentIn(place, name);
    if (!(await isHeld(agent))) return false;
    await run(agent, place);
    return true;
  }

  async function lookUntilHealthy(lane: Lane): Promise<void> {
    const { place, groups } = lane;
    let failing = false;
    while (groups.size > 0 && !signal.aborted) {
      const problem = await look(lane);
      if (problem !== undefined && !failing && !signal.aborted)
        log.warn({ ...place, problem: messageOf(problem) }, "health is not seen");
      failing = problem !== undefined;
      if (groups.size > 0) await clock.sleep(everyMs, signal).catch(() => {});
    }
    lanes.delete(keyOf(place));
  }

  function add(place: GroupPlace, serverGroup: string, watched: Watched): void {
    const known = lanes.get(keyOf(place));
    const lane = known ?? { place, groups: new Map() };
    lane.groups.set(serverGroup, watched);
    if (known) return;
    lanes.set(keyOf(place), lane);
    void lookUntilHealthy(lane);
  }

  return {
    watch: (place, serverGroup) => add(place, serverGroup, { since: clock.now(), changedAt: clock.now() }),
    include(place, serverGroup) {
      if (!lanes.get(keyOf(place))?.groups.has(serverGroup))
        add(place, serverGroup, { since: clock.now(), changedAt: undefined });
    },
    isBusy: (type, withinMs) =>
      [...lanes.values()].some(
        ({ place, groups }) =>
          place.type === type &&
          [...groups.values()].some(
            ({ changedAt }) => changedAt !== undefined && clock.now() - changedAt < withinMs,
          ),
      ),
    watched: () =>
      [...lanes].flatMap(([place, { groups }]) => [...groups.keys()].map((name) => `${place}/${name}`)),
  };
}

const keyOf = ({ account, region }: GroupPlace) => `${account}/${region}`;
const agentIn = (place: GroupPlace, name: string) => `${keyOf(place)}/${name}`;

/** Whether what an event told of shows, and nothing is to come of which none will tell. */
function isGroupSettled(group: ServerGroup | undefined, waitedMs: number): boolean {
  // Nothing but EC2 itself tells of the health of what no balancer has.
  if (group !== undefined && !group.targetGroups?.length && !group.loadBalancers?.length) return true;
  if (waitedMs < SETTLED_MS) return false;
  const instances = group?.instances ?? [];
  const up = instances.filter(({ healthState }) => healthState === "Up").length;
  // Of one that is disabled nothing is up.
  if (group?.disabled ?? group?.isDisabled) return up === 0;
  return instances.length >= (group?.capacity?.desired ?? 0) && up === instances.length;
}

/** The same for a service of ECS, whose tasks are up before their balancer says so. */
function isServiceSettled(service: ServerGroup | undefined, waitedMs: number): boolean {
  if (waitedMs < SETTLED_MS) return false;
  const tasks = service?.instances ?? [];
  if (tasks.length < (service?.capacity?.desired ?? 0)) return false;
  const states = tasks.flatMap(({ healthState, health = [] }) => [
    healthState,
    ...health.map(({ state }) => state),
  ]);
  const allowed = waitedMs < UNKNOWN_MS ? ["Up"] : ["Up", "Unknown"];
  return states.every((state) => state !== undefined && allowed.includes(state));
}
