import type { Clock } from "../clock.ts";
import { percentile } from "../percentile.ts";
import { autoScalingGroup, awsId, type Inventory } from "../sandbox/aws/inventory.ts";
import type { Site } from "../sandbox/site.ts";

/** One change in the demo's AWS and what the cache has to show of it. */
interface PlannedChange {
  /** Sandbox time after the start of the measurement. */
  atMs: number;
  resource: string;
  apply(inventory: Inventory): void;
  /** Whether this site's cache shows it. */
  shown(site: Site): boolean;
}

/** When one change could be seen, by way of events or of polling; ms of sandbox time after the start. */
export interface SeenChange {
  resource: string;
  changedAtMs: number;
  /** Null: never within the measurement. */
  visibleAtMs: number | null;
  via: "events" | "polling";
}

export const REGION = "us-east-1";
const SPACING_MS = 23_000;
const CHANGES = 12;

/** Twelve changes, spread so that they meet every phase of a polling cycle: groups made, resized, deleted; rules. */
export function plannedChanges(): PlannedChange[] {
  const ids = new Map<number, string>();
  return Array.from({ length: CHANGES }, (_, index) => {
    const atMs = index * SPACING_MS;
    const lane = index % 3;
    const round = Math.floor(index / 3);
    return lane === 2 ? ruleChange(atMs, round, ids) : groupChange(atMs, lane, round);
  });
}

/** Life of one group: made, grown, shrunk, deleted. */
function groupChange(atMs: number, lane: number, round: number): PlannedChange {
  const name = `shop-web-v${String(lane + 1).padStart(3, "0")}`;
  const desired = [2, 4, 1][round];
  if (desired === undefined) {
    return {
      atMs,
      resource: `${name} deleted`,
      apply: (inventory) => inventory.remove("auto-scaling-group", REGION, name),
      shown: ({ clouddriver, account }) =>
        !clouddriver.cache.get("auto-scaling-group", account, REGION, name),
    };
  }
  return {
    atMs,
    resource: `${name} ${round === 0 ? "created" : "resized"} to ${desired}`,
    apply: (inventory) => inventory.put("auto-scaling-group", REGION, autoScalingGroup(name, desired)),
    shown: ({ clouddriver, account }) =>
      clouddriver.cache.get("auto-scaling-group", account, REGION, name)?.desired === desired,
  };
}

/** A security group that gets one rule more each time. */
function ruleChange(atMs: number, round: number, ids: Map<number, string>): PlannedChange {
  const id = ids.get(0) ?? awsId("sg");
  ids.set(0, id);
  const rules = Array.from({ length: round + 1 }, (_, index) => `10.${index}.0.0/16:443`);
  return {
    atMs,
    resource: `security group web with ${rules.length} rule${rules.length === 1 ? "" : "s"}`,
    apply: (inventory) => inventory.put("security-group", REGION, { id, name: "web", vpcId: "vpc-1", rules }),
    shown: ({ clouddriver, account }) =>
      clouddriver.cache.get("security-group", account, REGION, id)?.rules.length === rules.length,
  };
}

const LOOK_MS = 200;

/**
 * Makes the changes in the AWS that both sites share, and times when each site's cache shows each one. Lasts `spanMs`
 * of sandbox time.
 */
export async function measureChanges(
  sites: Readonly<Record<"events" | "polling", Site>>,
  spanMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<SeenChange[]> {
  const start = clock.now();
  const elapsed = () => clock.now() - start;
  const planned = plannedChanges();
  const seen: SeenChange[] = [];
  const waiting: { change: PlannedChange; record: SeenChange }[] = [];
  const look = () => {
    for (const entry of [...waiting]) {
      if (!entry.change.shown(sites[entry.record.via])) continue;
      entry.record.visibleAtMs = Math.round(elapsed());
      waiting.splice(waiting.indexOf(entry), 1);
    }
  };
  while (elapsed() < spanMs) {
    while (planned[0] && planned[0].atMs <= elapsed()) {
      const change = planned.shift();
      if (!change) break;
      change.apply(sites.events.aws.inventory);
      for (const via of ["events", "polling"] as const) {
        const record: SeenChange = {
          resource: change.resource,
          changedAtMs: Math.round(elapsed()),
          visibleAtMs: null,
          via,
        };
        seen.push(record);
        waiting.push({ change, record });
      }
    }
    await clock.sleep(LOOK_MS, signal);
    look();
  }
  return seen;
}

export interface Percentiles {
  p50: number;
  p95: number;
}

/** Nearest-rank percentiles of change → visible, ms of sandbox time; over the changes that were seen. */
export function latencies(changes: readonly SeenChange[], via: SeenChange["via"]): Percentiles {
  const figures = changes.flatMap(({ via: way, changedAtMs, visibleAtMs }) =>
    way === via && visibleAtMs !== null ? [visibleAtMs - changedAtMs] : [],
  );
  const rank = (share: number) => percentile(figures, share) ?? 0;
  return { p50: rank(0.5), p95: rank(0.95) };
}
