import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { type Clouddriver, isUnprocessed, type PendingRefresh } from "../clouddriver/client.ts";
import { messageOf } from "../errors.ts";
import type { RunForItem } from "./agent-runs.ts";
import type { Health } from "./health.ts";

/** On the Redis cache the record of one group hides another group until the pass. */
const LOOK_MS = 1_000;
/** Where something is being deployed the next record is near. */
const BUSY_LOOK_MS = 250;
const BUSY_MS = 60_000;
const AGENT = "ClusterCachingAgent";

/**
 * Runs the cluster agent of an account and Region as soon as somebody asked Clouddriver for one of its server groups:
 * Orca's stages wait for the pass that processes such a record (facts of its cache stages). Runs until the signal aborts.
 */
export async function watchPending({
  clouddriver,
  run,
  health,
  clock,
  signal,
  log,
}: {
  clouddriver: Pick<Clouddriver, "pendingServerGroups">;
  run: RunForItem;
  health: Health;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  let known = new Set<string>();
  let failing = false;
  let busyUntil = 0;
  while (!signal.aborted) {
    try {
      const records = (await clouddriver.pendingServerGroups()).filter(isWaiting);
      const fresh = records.filter((record) => !known.has(keyOf(record)));
      known = new Set(records.map(keyOf));
      if (fresh.length > 0 || health.watched().length > 0) busyUntil = clock.now() + BUSY_MS;
      const places = new Map(fresh.map(({ details }) => [`${details?.account}/${details?.region}`, details]));
      for (const { details: { account = "", region = "", serverGroup } = {} } of fresh)
        if (serverGroup !== undefined) health.watch({ account, region }, serverGroup);
      for (const [place, { account = "", region = "" } = {}] of places) {
        // What fails is asked for again by the next record, or by the floor.
        void run(`${place}/${AGENT}`, { account, region, type: "server-group" }).catch(() => {});
      }
      failing = false;
    } catch (error) {
      if (!failing && !signal.aborted)
        log.warn({ problem: messageOf(error) }, "pending refreshes are not seen");
      failing = true;
    }
    await clock.sleep(clock.now() < busyUntil ? BUSY_LOOK_MS : LOOK_MS, signal).catch(() => {});
  }
}

const isWaiting = (record: PendingRefresh) =>
  isUnprocessed(record) && record.details?.account !== undefined && record.details.region !== undefined;

const keyOf = ({ details, cacheTime }: PendingRefresh) =>
  [details?.account, details?.region, details?.serverGroup, cacheTime].join("/");
