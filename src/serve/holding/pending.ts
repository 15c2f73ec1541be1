import type { Logger } from "pino";
import { agentsOf, type Place, type ResourceType } from "../../agents/kinds.ts";
import type { Clock } from "../../clock.ts";
import {
  type Clouddriver,
  isUnprocessed,
  type OnDemandKind,
  type PendingRefresh,
} from "../../clouddriver/client.ts";
import type { RunForItem } from "../running/agent-runs.ts";
import { type Health, isGroupPlace } from "./health.ts";
import { keepLooking } from "./keep-looking.ts";

/** Kinds whose refreshes Orca's stages wait for until a full pass has processed them. ECS's always look processed. */
const AWAITED: readonly { kind: OnDemandKind; type: ResourceType; everyMs: number; busyMs: number }[] = [
  // On the Redis cache the record of one group hides another group until the pass. Each look costs Clouddriver a scan.
  { kind: "aws/ServerGroup", type: "server-group", everyMs: 1_000, busyMs: 250 },
  { kind: "aws/CloudFormation", type: "stack", everyMs: 5_000, busyMs: 5_000 },
  { kind: "aws/Function", type: "function", everyMs: 5_000, busyMs: 5_000 },
];
/** Where something is being deployed the next record is near. */
const BUSY_FOR_MS = 60_000;
const RETRY_MS = 5_000;

interface Watching {
  /** One replica looks. */
  leads(): boolean;
  clouddriver: Pick<Clouddriver, "pending">;
  run: RunForItem;
  health: Health;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}

/**
 * Runs the agent of an account and Region as soon as somebody asked Clouddriver to refresh something there: Orca's
 * stages wait for the pass that processes such a record (facts of its cache stages). Runs until the signal aborts.
 */
export async function watchPending(watching: Watching): Promise<void> {
  await Promise.all(AWAITED.map((awaited) => watchKind(awaited, watching)));
}

async function watchKind(
  { kind, type, everyMs, busyMs }: (typeof AWAITED)[number],
  { leads, clouddriver, run, health, clock, signal, log }: Watching,
): Promise<void> {
  /** Records that a pass was begun for. */
  const served = new Set<string>();
  let busyUntil = 0;
  /** What fails is tried again as long as somebody waits: nobody else may run it before the floor. */
  const serveAll = async (agent: string, place: Place, keys: readonly string[]) => {
    const { outcome } = await run(agent, place).catch(() => ({ outcome: "failed" }));
    if (outcome === "ran") return;
    await clock.sleep(RETRY_MS, signal).catch(() => {});
    for (const key of keys) served.delete(key);
  };
  const look = async () => {
    const records = (await clouddriver.pending(kind)).filter(isWaiting);
    const fresh = records.filter((record) => !served.has(keyOf(record)));
    const waiting = new Set(records.map(keyOf));
    for (const key of served) if (!waiting.has(key)) served.delete(key);
    if (fresh.length > 0 || health.isBusy(type, BUSY_FOR_MS)) busyUntil = clock.now() + BUSY_FOR_MS;
    const agents = new Map<string, { place: Place; keys: string[] }>();
    for (const record of fresh) {
      const { account = "", region = "", serverGroup } = record.details ?? {};
      served.add(keyOf(record));
      const place = { account, region, type };
      if (serverGroup !== undefined && isGroupPlace(place)) health.watch(place, serverGroup);
      for (const agent of agentsOf(place))
        agents.set(agent, { place, keys: [...(agents.get(agent)?.keys ?? []), keyOf(record)] });
    }
    for (const [agent, { place, keys }] of agents) void serveAll(agent, place, keys);
  };
  await keepLooking(look, {
    leads,
    pauseMs: () => (clock.now() < busyUntil ? busyMs : everyMs),
    failed: (problem) => log.warn({ kind, problem }, "pending refreshes are not seen"),
    clock,
    signal,
  });
}

const isWaiting = (record: PendingRefresh) =>
  isUnprocessed(record) && record.details?.account !== undefined && record.details.region !== undefined;

const keyOf = ({ id, details, cacheTime }: PendingRefresh) =>
  [id, details?.account, details?.region, details?.serverGroup, cacheTime].join("/");
