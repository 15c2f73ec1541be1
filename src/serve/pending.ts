import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import { type Clouddriver, isUnprocessed, type PendingRefresh } from "../clouddriver/client.ts";
import { messageOf } from "../errors.ts";
import type { RunForItem } from "./agent-runs.ts";
import type { Coverage } from "./coverage.ts";

/** Orca looks every ten seconds; a pass lasts one or two. */
const LOOK_MS = 1_000;
const AGENT = "ClusterCachingAgent";

/**
 * Runs the cluster agent of an account and Region as soon as somebody asked Clouddriver for one of its server groups:
 * Orca's stages wait for the pass that processes such a record (facts of its cache stages). Runs until the signal aborts.
 */
export async function watchPending({
  clouddriver,
  run,
  coverage,
  clock,
  signal,
  log,
}: {
  clouddriver: Pick<Clouddriver, "pendingServerGroups">;
  run: RunForItem;
  coverage: Coverage;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
}): Promise<void> {
  let known = new Set<string>();
  let failing = false;
  while (!signal.aborted) {
    try {
      const records = (await clouddriver.pendingServerGroups()).filter(isWaiting);
      const fresh = records.filter((record) => !known.has(keyOf(record)));
      known = new Set(records.map(keyOf));
      const places = new Map(fresh.map(({ details }) => [`${details?.account}/${details?.region}`, details]));
      for (const [place, { account = "", region = "" } = {}] of places) {
        coverage.active(account, region);
        // What fails is asked for again by the next record, or by the floor.
        void run(`${place}/${AGENT}`, { account, region, type: "server-group" }).catch(() => {});
      }
      failing = false;
    } catch (error) {
      if (!failing && !signal.aborted)
        log.warn({ problem: messageOf(error) }, "pending refreshes are not seen");
      failing = true;
    }
    await clock.sleep(LOOK_MS, signal).catch(() => {});
  }
}

const isWaiting = (record: PendingRefresh) =>
  isUnprocessed(record) && record.details?.account !== undefined && record.details.region !== undefined;

const keyOf = ({ details, cacheTime }: PendingRefresh) =>
  [details?.account, details?.region, details?.serverGroup, cacheTime].join("/");
