import { agentRounds, agentsOf, isAlways } from "../../agents/kinds.ts";
import { nextPass } from "../../agents/pass.ts";
import { createDebounce } from "../../debounce.ts";
import type { ResourceEvent } from "../../events/event.ts";
import type { WorkItem } from "../../refresh/items.ts";
import { refreshOnDemand } from "../../refresh/on-request.ts";
import { readBack } from "../../refresh/read-back.ts";
import type { ItemResult, Refresher } from "../../refresh/refresh.ts";
import type { RunForItem } from "./agent-runs.ts";
import type { Balancers } from "./balancers.ts";
import { contradiction } from "./facts.ts";
import type { Pace } from "./pace.ts";

/** `events`: as `agents`, and agents whose events arrive fast are left to a slow floor. */
export type Mode = "agents" | "events" | "careful" | "on-demand";

/** What became of one work item: proven, still contradicting its event, or not done. */
export interface Applied {
  outcome: "applied" | "stale" | "failed";
  detail: string;
  /** False where nothing had to run. */
  ran: boolean;
}

/** AWS's own answers may lag behind its events for a moment. */
const CONSISTENCY_WAIT_MS = 5_000;
/** A pass that began so long after a change has seen it: AWS's answers lag, and clocks differ. */
const SEEN_AFTER_MS = 10_000;
/** SNS tries for up to an hour; a pass at a long interval is worth waiting for. */
const PASS_TIMEOUT_MS = 15 * 60_000;

/** Applies one event to one item: a run that starts after this call, then a read-back against the event's facts. */
export type Apply = (
  event: ResourceEvent,
  item: WorkItem,
  /** Why the event's facts no longer have to hold, if something newer has come. */
  overtaken: () => string | undefined,
) => Promise<Applied>;

export function createApply(
  mode: Mode,
  refresher: Refresher,
  {
    debounceMs,
    pace,
    runs,
    balancers,
  }: { debounceMs: number; pace: Pace; runs: RunForItem | undefined; balancers: Balancers },
): Apply {
  const { clock, signal, clouddriver } = refresher;
  const refresh = runs ? byAgents(runs) : onDemand(mode === "on-demand");

  return async (event, item, overtaken) => {
    const absent = await absentAgent(item);
    if (absent)
      return { outcome: "applied", detail: `nothing to do: Clouddriver has no agent ${absent}`, ran: false };
    if (await seenAlready(event, item))
      return { outcome: "applied", detail: "nothing to do: a pass since then has seen it", ran: false };
    const first = await refresh(item, event);
    if (first) return { outcome: "failed", detail: first, ran: true };
    const wrong = await contradicted(event, item);
    if (!wrong) return { outcome: "applied", detail: "the cache shows it", ran: true };
    await clock.sleep(CONSISTENCY_WAIT_MS, signal);
    const second = await refresh(item, event);
    if (second) return { outcome: "failed", detail: second, ran: true };
    const still = await contradicted(event, item);
    const newer = still && overtaken();
    if (newer) return { outcome: "applied", detail: `overtaken: ${newer}`, ran: true };
    return still
      ? { outcome: "stale", detail: still, ran: true }
      : { outcome: "applied", detail: "the cache shows it, at the second run", ran: true };
  };

  async function contradicted({ facts }: ResourceEvent, item: WorkItem): Promise<string | undefined> {
    if (item.type === "server-group") {
      return contradiction(facts, await clouddriver.serverGroup(item.account, item.region, item.name));
    }
    if (facts.gone === undefined) return undefined;
    const { present } = await readBack(clouddriver, item);
    if (present === undefined || present === !facts.gone) return undefined;
    return present ? "AWS deleted it, the cache still has it" : "AWS has it, the cache does not";
  }

  /** Whether each of its agents has successfully passed since the change, and the cache shows it. */
  async function seenAlready(event: ResourceEvent, item: WorkItem): Promise<boolean> {
    const seenFrom = event.at + SEEN_AFTER_MS;
    if (event.at === 0 || clock.now() < seenFrom) return false;
    const { byAgent } = await clouddriver.executions();
    let from = seenFrom;
    for (const round of agentRounds(item)) {
      const passes = round.map((agent) => byAgent.get(agent));
      if (passes.some((pass) => pass === undefined || pass.lastExecutionStartMs < from)) return false;
      // A round reads what the one before it has stored.
      from = Math.max(
        ...passes.map((pass) => (pass?.lastExecutionStartMs ?? 0) + (pass?.lastExecutionDurationMs ?? 0)),
      );
    }
    return !(await contradicted(event, item));
  }

  /** Of kinds that not every Clouddriver caches: the agent that would have to run, if it is nowhere. */
  async function absentAgent(item: WorkItem): Promise<string | undefined> {
    if (isAlways(item.type)) return undefined;
    const agents = agentsOf(item);
    const [{ byAgent }, locked] = await Promise.all([
      clouddriver.executions(),
      refresher.locks?.locksOf(agents),
    ]);
    return agents.find((agent) => !byAgent.has(agent) && !locked?.has(agent));
  }

  /** Refreshes the item; resolves with why it could not. */
  function byAgents(run: RunForItem): (item: WorkItem, event: ResourceEvent) => Promise<string | undefined> {
    return async (item, event) => {
      if (!event.facts.gone && (await byBalancer(item))) return undefined;
      for (const agents of agentRounds(item)) {
        const outcomes = await Promise.all(agents.map((agent) => run(agent, item)));
        const failed = outcomes.findIndex(({ outcome }) => outcome !== "ran");
        if (failed !== -1) return `${agents[failed]}: ${outcomes[failed]?.outcome}`;
      }
      if (!(await oldRecordWon(item, event))) return undefined;
      const again = await Promise.all(agentsOf(item).map((agent) => run(agent, item)));
      return again.every(({ outcome }) => outcome === "ran") ? undefined : "the second run failed";
    };
  }

  /**
   * The first pass after an on-demand refresh takes its record for the truth, whatever AWS says (measured), and the
   * second one drops it: so Orca's own refresh would hide what an event told of meanwhile, until the floor.
   */
  async function oldRecordWon(
    { type, account, region, name }: WorkItem,
    { at }: ResourceEvent,
  ): Promise<boolean> {
    if (type !== "server-group") return false;
    const records = await clouddriver.pending("aws/ServerGroup");
    return records.some(
      ({ details, cacheTime = 0 }) =>
        details?.account === account &&
        details.region === region &&
        (name === "*" || details.serverGroup === name) &&
        // EventBridge tells whole seconds.
        (at === 0 || at + 1_000 > cacheTime),
    );
  }

  /** A balancer of the second generation is read alone where that works: it costs the others nothing. */
  async function byBalancer(item: WorkItem): Promise<boolean> {
    const { type, account, region, name } = item;
    if (name === "*") return false;
    let names: string[] | undefined;
    if (type === "target-group") names = await balancers.ofTargetGroups(item, [name]);
    else if (type === "load-balancer") {
      const cached = await clouddriver.loadBalancers(account, region, name);
      names = cached.map(({ loadBalancerType }) => (loadBalancerType === "application" ? name : ""));
    }
    if (!names?.length || names.includes("")) return false;
    if (await balancers.costMore(item, names.length)) return false;
    const refreshed = await Promise.all(names.map((one) => balancers.refresh(item, one)));
    return refreshed.every(Boolean);
  }

  function onDemand(always: boolean): (item: WorkItem) => Promise<string | undefined> {
    const debounce = createDebounce<ItemResult | undefined>(clock, debounceMs, signal);
    // All who wait for one agent's pass share a waiter that begins after the last of them came.
    const passes = createDebounce<boolean>(clock, 0, signal);
    const watcher = { ...refresher, timeoutMs: PASS_TIMEOUT_MS, executions: clouddriver.executions };
    const waiting = {
      ...refresher,
      nextPass: (agent: string) => passes(agent, () => nextPass(agent, watcher)),
    };
    return async (item) => {
      const { type, account, region, name } = item;
      // One call reloads every security group of the account and Region.
      const key = `${type}/${account}/${region}/${type === "security-group" ? "*" : name}`;
      const result = await debounce(
        key,
        async () => (await refreshOnDemand([item], waiting, { always, via: "clouddriver" }, () => {}))[0],
      );
      const verdict = result?.verdict ?? "failed";
      if (verdict === "throttled") pace.slowDown(account, region);
      return verdict === "throttled" || verdict === "failed" || verdict === "stale"
        ? result?.detail
        : undefined;
    };
  }
}
