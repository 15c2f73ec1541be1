import type { ResourceType } from "../agents/kinds.ts";
import { typeName } from "../agents/kinds.ts";
import { openLockStore } from "../agents/stores/open.ts";
import type { LockStore } from "../agents/stores/store.ts";
import { type Clouddriver, createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { formatDuration, parseDuration } from "../duration.ts";
import { EXIT, failure, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { CommandResult } from "../output/output.ts";
import { startProgress } from "../output/progress.ts";
import { table } from "../output/table.ts";
import { itemText, type WorkItem, workItems } from "../refresh/items.ts";
import { cachedIds } from "../refresh/read-back.ts";
import { type ItemResult, type Refresher, refreshByAgents, refreshOnDemand } from "../refresh/refresh.ts";
import { exitOf, type Verdict } from "../refresh/verdict.ts";

export interface RefreshOptions {
  account?: string | undefined;
  region?: string | undefined;
  type?: ResourceType | undefined;
  via: "auto" | "agents" | "clouddriver";
  /** Set all ids of AWS and the cache side by side instead. */
  audit?: boolean | undefined;
  /** And refresh just what differs. */
  fix?: boolean | undefined;
  exitCode?: boolean | undefined;
}

/** Bound on one agent run or one wait for a pass. */
const RUN_TIMEOUT_MS = 120_000;

/** `aec refresh`: makes things of the cache fresh and proves each by reading back. */
export async function run(
  context: Context,
  names: string[],
  options: RefreshOptions,
): Promise<CommandResult> {
  const clouddriver = createClouddriver(context);
  if (!options.audit) {
    if (options.fix) throw usageError("fix-needs-audit", "--fix repairs what --audit finds: add --audit");
    const items = workItems({ ...options, names }, await clouddriver.accounts());
    return refresh(context, clouddriver, items, options);
  }
  if (names.length > 0) throw usageError("audit-without-names", "--audit compares all ids: give no names");
  const { auditAccount, auditResult, itemsToFix } = await import("./refresh-audit.ts");
  const audits = await auditAccount(context, options);
  const items = itemsToFix(audits);
  if (!options.fix || items.length === 0) return auditResult(audits, options.exitCode);
  const result = await refresh(context, clouddriver, items, options);
  const data = { audit: audits, ...(result.data as object) };
  // What AWS did not tell may still differ.
  const exit = audits.some(({ unknown }) => unknown !== null) ? EXIT.partial : (result.exit ?? EXIT.ok);
  return { ...result, data, exit };
}

async function refresh(
  context: Context,
  clouddriver: Clouddriver,
  items: readonly WorkItem[],
  options: RefreshOptions,
): Promise<CommandResult> {
  const { world, out, settings } = context;
  const url = settings.lockStore.value;
  const byAgents = options.via === "agents" || (options.via === "auto" && url !== undefined);
  if (byAgents && url === undefined) {
    throw usageError("no-lock-store", "--via agents needs the lock store of Clouddriver's scheduler", {
      hint: "add --lock-store redis://HOST:6379, or export AEC_LOCK_STORE",
    });
  }
  const interval = settings.section.polling?.interval;
  const refresher: Refresher = {
    clouddriver,
    locks: byAgents && url ? await openLockStore(url) : undefined,
    clock: world.clock,
    signal: world.signal,
    timeoutMs: context.timeout(RUN_TIMEOUT_MS),
    intervalMs: interval === undefined ? undefined : parseDuration(interval, "polling.interval"),
  };
  const how = byAgents ? "by running their agents" : "on demand, where that does no harm";
  const progress = await startProgress(out, `refreshing ${summarise(items)} ${how}`);
  let results: ItemResult[];
  try {
    if (refresher.locks) {
      await assertClouddriversOwn(refresher.locks, refresher);
      results = await refreshByAgents(items, refresher);
    } else {
      let done = 0;
      results = await refreshOnDemand(items, refresher, options.via === "clouddriver", (result) => {
        done += 1;
        progress.update(`${done}/${items.length} ${itemText(result)}: ${result.verdict}`, true);
      });
    }
  } finally {
    progress.stop();
    refresher.locks?.close();
  }
  for (const result of results.filter(({ verdict, name }) => verdict === "not-handled" && name !== "*")) {
    const suggestion = nearest(result.name, await cachedIds(clouddriver, result));
    if (suggestion) out.warn(`${itemText(result)}: did you mean "${suggestion}"?`);
  }
  const verdicts = results.map(({ verdict }) => verdict);
  return {
    data: { items: results, summary: count(verdicts) },
    exit: exitOf(verdicts),
    text: (paint) =>
      table(
        ["VERDICT", "TYPE", "ACCOUNT", "REGION", "NAME", "VIA", "TOOK", "DETAIL"],
        results.map(({ verdict, type, account, region, name, via, durationMs, detail }) => [
          (["refreshed", "unchanged", "evicted"].includes(verdict) ? paint.green : paint.yellow)(verdict),
          typeName(type),
          account,
          region,
          name,
          via,
          formatDuration(durationMs),
          detail,
        ]),
      ),
  };
}

/** A wrong Redis is found before anything waits for it: Clouddriver's agents always hold some locks. */
async function assertClouddriversOwn(locks: LockStore, { clouddriver }: Refresher): Promise<void> {
  const { byAgent } = await clouddriver.executions();
  const agents = [...byAgent.keys()];
  if (agents.length < 5 || (await locks.count(agents)) > 0) return;
  throw failure(
    "lock-store-foreign",
    `none of Clouddriver's ${agents.length} agents has a lock in this lock store`,
    {
      hint: "name the redis.connection of Clouddriver itself, with its database number: redis://HOST:6379/N",
    },
  );
}

function summarise(items: readonly WorkItem[]): string {
  const [first] = items;
  return items.length === 1 && first ? itemText(first) : `${items.length} things`;
}

function count(verdicts: readonly Verdict[]): Record<string, number> {
  const summary: Record<string, number> = {};
  for (const verdict of verdicts) summary[verdict] = (summary[verdict] ?? 0) + 1;
  return summary;
}
