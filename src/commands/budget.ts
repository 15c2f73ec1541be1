import { STOCK_INTERVAL_MS } from "../agents/idle.ts";
import {
  type InventoryOf,
  inventoryFromAws,
  inventoryFromCache,
  inventoryFromFile,
} from "../budget/inventory.ts";
import { type Api, callsPerMinute, passCosts, REFILL_PER_MINUTE } from "../budget/model.ts";
import { createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { parseDuration } from "../duration.ts";
import { usageError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";
import { table } from "../output/table.ts";
import { configuredIntervalMs } from "../polling/configured.ts";
import { configuredFloors, floorFor } from "../polling/floors.ts";
import { standingWishes } from "../polling/live/standing.ts";
import { type Wish, wishFor } from "../polling/live/wishes.ts";
import { isTold } from "../serve/holding/coverage.ts";
import { numberOption } from "./number-option.ts";

export interface BudgetOptions {
  inventory?: string | undefined;
  /** Counts what AWS has. */
  aws?: boolean | undefined;
  account?: string[] | undefined;
  interval?: string | undefined;
  propose?: string | undefined;
  events?: boolean | undefined;
  changesPerHour?: string | undefined;
}

const LEAST_MS = 5_000;
const PROPOSED = "5m";
const CHANGES_PER_HOUR = 20;
/** Measured by `npm run bench:events`: what one change of a deployment costs, its health included. */
const CALLS_PER_CHANGE = 12;

interface PlaceBudget {
  account: string;
  region: string;
  /** AWS calls a minute. */
  now: Record<Api, number>;
  proposed: Record<Api, number>;
  nowTotal: number;
  proposedTotal: number;
  savedPercent: number;
  /** The API that is nearest to what AWS refills. */
  tightest: Tightest;
  proposedTightest: Tightest;
}

interface Tightest {
  api: Api;
  percentOfRefill: number;
  verdict: "throttles" | "tight" | "fits";
}

/** `aec budget`: the AWS calls a minute of polling now, and of another interval or of mode events. */
export async function run(context: Context, options: BudgetOptions): Promise<CommandResult> {
  if (options.events && options.propose !== undefined)
    throw usageError("two-proposals", "--events and --propose are two proposals: name one");
  if (options.aws && options.inventory !== undefined)
    throw usageError("two-inventories", "--aws and --inventory are two inventories: name one");
  if (!options.events && options.changesPerHour !== undefined)
    throw usageError("no-events", "--changes-per-hour goes with --events");
  const interval = options.interval && parseDuration(options.interval, "--interval");
  const nowMs = interval || (configuredIntervalMs(context) ?? STOCK_INTERVAL_MS);
  const proposedMs = parseDuration(options.propose ?? PROPOSED, "--propose");
  for (const [name, ms] of [
    ["--interval", nowMs],
    ["--propose", proposedMs],
  ] as const) {
    if (ms < LEAST_MS)
      throw usageError("bad-interval", `${name}: no agent polls more often than every ${LEAST_MS / 1_000} s`);
  }
  const inventories = await inventoriesOf(context, options);
  if (inventories.length === 0) {
    throw usageError("no-account", `no AWS account ${options.account?.join(", ") ?? ""} is there`, {
      hint: "aec agents list shows the accounts that Clouddriver polls",
    });
  }
  const uncounted = inventories.filter(({ serverGroups, instances }) => serverGroups > 0 && instances === 0);
  if (uncounted.length > 0) {
    const where = uncounted.map(({ account, region }) => `${account}/${region}`).join(", ");
    context.out.warn(`server groups without any instance, which are counted as they are: ${where}`);
  }
  const rules = standingWishes(context);
  if (options.events && rules.length === 0) {
    context.out.warn(
      "no polling.rules: what no event tells of goes on being polled (launch configurations, certificates, instance types)",
    );
  }
  const proposal = options.events
    ? eventsProposal(context, rules, options, nowMs)
    : { intervalOf: () => proposedMs, extra: 0 };
  const firsts = new Map(inventories.toReversed().map((one) => [one.region, one]));
  const places = inventories.map((one) => budgetOf(one, firsts.get(one.region) === one, nowMs, proposal));
  const total = {
    now: sum(places.map(({ nowTotal }) => nowTotal)),
    proposed: sum(places.map(({ proposedTotal }) => proposedTotal)),
  };
  const proposed = options.events ? "mode events" : `polling every ${options.propose ?? PROPOSED}`;
  return {
    data: { intervalMs: nowMs, proposed, places, total },
    text: () =>
      [
        table(
          ["ACCOUNT", "REGION", "CALLS/MIN", "OF AWS'S REFILL", "PROPOSED", "SAVED", "OF AWS'S REFILL"],
          places.map((place) => [
            place.account,
            place.region,
            place.nowTotal.toFixed(1),
            told(place.tightest),
            place.proposedTotal.toFixed(1),
            `${place.savedPercent} %`,
            told(place.proposedTightest),
          ]),
        ),
        `${total.now.toFixed(1)} AWS calls a minute now; ${total.proposed.toFixed(1)} with ${proposed}`,
      ].join("\n"),
  };
}

async function inventoriesOf(
  context: Context,
  { aws, inventory, account: wanted }: BudgetOptions,
): Promise<InventoryOf[]> {
  if (aws) return inventoryFromAws(context, wanted);
  if (inventory === undefined) return inventoryFromCache(createClouddriver(context), wanted);
  return inventoryFromFile(context.world.cwd, inventory).filter(
    ({ account }) => !wanted || wanted.includes(account),
  );
}

interface Proposal {
  intervalOf(agent: string): number;
  /** Calls a minute on top of passes, in each account and Region. */
  extra: number;
}

/** As if all that events can tell of had proven itself: the rest is polled as now, or as `polling.rules` say. */
function eventsProposal(
  context: Context,
  rules: readonly Wish[],
  { changesPerHour }: BudgetOptions,
  nowMs: number,
): Proposal {
  const floors = configuredFloors(context);
  const changes =
    changesPerHour === undefined
      ? CHANGES_PER_HOUR
      : numberOption("--changes-per-hour", changesPerHour, { least: 0, most: 100_000 });
  return {
    intervalOf(agent) {
      const rule = wishFor(agent, rules, context.world.clock.now());
      if (rule) return rule.intervalMs ?? nowMs;
      return isTold(agent) ? Math.max(nowMs, floorFor(agent, floors)) : nowMs;
    },
    extra: (changes * CALLS_PER_CHANGE) / 60,
  };
}

function budgetOf(
  inventory: InventoryOf,
  firstOfRegion: boolean,
  nowMs: number,
  { intervalOf, extra }: Proposal,
): PlaceBudget {
  const costs = passCosts(inventory, firstOfRegion);
  const now = rounded(callsPerMinute(costs, () => nowMs));
  const proposed = rounded(callsPerMinute(costs, (agent) => intervalOf(agentType(inventory, agent))));
  const [nowTotal, proposedTotal] = [sum(Object.values(now)), sum(Object.values(proposed)) + extra];
  return {
    account: inventory.account,
    region: inventory.region,
    now,
    proposed,
    nowTotal: round(nowTotal),
    proposedTotal: round(proposedTotal),
    savedPercent: Math.round(100 * (1 - proposedTotal / nowTotal)),
    tightest: tightestOf(now),
    proposedTightest: tightestOf(proposed),
  };
}

/** One agent is named the other way round. */
function agentType({ account, region }: InventoryOf, agent: string): string {
  return agent === "AmazonInstanceTypeCachingAgent" ? `${agent}/${region}` : `${account}/${region}/${agent}`;
}

function tightestOf(calls: Record<Api, number>): Tightest {
  const shares = (Object.entries(REFILL_PER_MINUTE) as [Api, number][]).map(([api, refill]) => ({
    api,
    percentOfRefill: Math.round((100 * calls[api]) / refill),
  }));
  const [first = { api: "EC2" as const, percentOfRefill: 0 }] = shares.toSorted(
    (a, b) => b.percentOfRefill - a.percentOfRefill,
  );
  return { ...first, verdict: verdictOf(first.percentOfRefill) };
}

const told = ({ api, percentOfRefill, verdict }: Tightest) => `${api} ${percentOfRefill} %, ${verdict}`;

/** Others call AWS too: deployments, controllers, people. */
function verdictOf(percent: number): "throttles" | "tight" | "fits" {
  if (percent >= 90) return "throttles";
  return percent >= 50 ? "tight" : "fits";
}

const sum = (values: readonly number[]) => round(values.reduce((all, one) => all + one, 0));
const round = (value: number) => Math.round(value * 10) / 10;
const rounded = (calls: Record<Api, number>) =>
  Object.fromEntries(Object.entries(calls).map(([api, count]) => [api, round(count)])) as Record<Api, number>;
