import { agentsOf, RESOURCE_TYPES, type ResourceType, typeName } from "../agents/kinds.ts";
import { assertOwnLockStore } from "../agents/own-store.ts";
import { openLockStore } from "../agents/stores/open.ts";
import type { LockStore } from "../agents/stores/store.ts";
import type { Account } from "../clouddriver/accounts.ts";
import { type Clouddriver, createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { EXIT, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { CommandResult } from "../output/output.ts";
import { startProgress } from "../output/progress.ts";
import { table } from "../output/table.ts";
import { configuredIntervalMs } from "../polling/configured.ts";
import { applicationItems } from "../refresh/application.ts";
import { refreshByAgents } from "../refresh/by-agents.ts";
import { itemText, type WorkItem, workItems } from "../refresh/items.ts";
import { refreshOnDemand } from "../refresh/on-request.ts";
import { cachedIds } from "../refresh/read-back.ts";
import type { ItemResult, OnDemandVia, Refresher } from "../refresh/refresh.ts";
import { createTurns } from "../refresh/turns.ts";
import { exitOf, isGood, type Verdict } from "../refresh/verdict.ts";
import { numberOption } from "./number-option.ts";
import { reporter } from "./refresh-progress.ts";

export interface RefreshOptions {
  account?: string | undefined;
  region?: string | undefined;
  application?: string | undefined;
  type?: ResourceType | undefined;
  provider?: "aws" | "ecs" | undefined;
  via: "auto" | "agents" | OnDemandVia;
  concurrency: string;
  /** On-demand calls a second, in each account and Region. */
  rate: string;
  /** Compare with AWS afterwards. */
  verify?: boolean | undefined;
  /** Set all ids of AWS and the cache side by side instead. */
  audit?: boolean | undefined;
  /** And refresh just what differs. */
  fix?: boolean | undefined;
  exitCode?: boolean | undefined;
}

const HOW: Readonly<Record<OnDemandVia | "harmless", string>> = {
  harmless: "on demand, where that does no harm",
  clouddriver: "on demand, whatever that hides",
  "gate-proxy": "on demand, by Gate's proxy",
  "gate-task": "by tasks of Orca's",
};

/** Bound on one agent run or one wait for a pass. */
const RUN_TIMEOUT_MS = 120_000;

/** `aec refresh`: makes things of the cache fresh and proves each by reading back. */
export async function run(
  context: Context,
  names: string[],
  options: RefreshOptions,
): Promise<CommandResult> {
  const clouddriver = await clouddriverFor(context, options.via);
  const accounts = () => clouddriver.accounts();
  if (!options.audit) {
    if (options.fix) throw usageError("fix-needs-audit", "--fix repairs what --audit finds: add --audit");
    return refresh(context, clouddriver, await accounts(), options, (agents, all) => {
      const args = { ...options, names };
      const { application } = options;
      if (application !== undefined) return applicationItems(clouddriver, application, args, all);
      return workItems(args, all, agents);
    });
  }
  if (names.length > 0) throw usageError("audit-without-names", "--audit compares all ids: give no names");
  const { auditAccount, auditResult, itemsToFix } = await import("./refresh-audit.ts");
  const audits = await auditAccount(context, clouddriver, await accounts(), options);
  const items = itemsToFix(audits);
  if (!options.fix || items.length === 0) return auditResult(audits, options.exitCode);
  const result = await refresh(context, clouddriver, await accounts(), options, () => items);
  const data = { audit: audits, ...(result.data as object) };
  // What AWS did not tell may still differ.
  const unknown = audits.some((one) => one.unknown !== null);
  const exit = unknown && !result.exit ? EXIT.partial : (result.exit ?? EXIT.ok);
  return { ...result, data, exit };
}

async function clouddriverFor(context: Context, via: RefreshOptions["via"]): Promise<Clouddriver> {
  if (via !== "gate-proxy" && via !== "gate-task") return createClouddriver(context);
  const { createGateClouddriver } = await import("../gate/clouddriver.ts");
  return createGateClouddriver(context, via);
}

/** The work, once it is known which agents Clouddriver has. */
type Choose = (
  agents: ReadonlySet<string>,
  accounts: readonly Account[],
) => readonly WorkItem[] | Promise<readonly WorkItem[]>;

async function refresh(
  context: Context,
  clouddriver: Clouddriver,
  accounts: readonly Account[],
  options: RefreshOptions,
  choose: Choose,
): Promise<CommandResult> {
  const { world, out, settings } = context;
  const { clock, signal } = world;
  const url = settings.lockStore.value;
  const byAgents = options.via === "agents" || (options.via === "auto" && url !== undefined);
  if (byAgents && url === undefined) {
    throw usageError("no-lock-store", "--via agents needs the lock store of Clouddriver's scheduler", {
      hint: "add --lock-store redis://HOST:6379, or export AEC_LOCK_STORE",
    });
  }
  const concurrency = numberOption("--concurrency", options.concurrency, {
    least: 1,
    most: 100,
    whole: true,
  });
  const turns = createTurns(numberOption("--rate", options.rate, { least: 0.01, most: 100 }), clock, signal);
  const locks = byAgents && url ? await openLockStore(url) : undefined;
  let results: ItemResult[];
  let items: readonly WorkItem[];
  try {
    if (locks) await assertOwnLockStore(locks, clouddriver);
    const agents =
      options.via === "gate-task" ? new Set<string>() : await agentsOfAccounts(clouddriver, locks, accounts);
    items = await choose(agents, accounts);
    const refresher: Refresher = {
      clouddriver,
      locks,
      clock,
      signal,
      timeoutMs: context.timeout(RUN_TIMEOUT_MS),
      intervalMs: configuredIntervalMs(context),
      concurrency,
      turns,
      ...(options.verify && { verify: await verifier(context, clouddriver, accounts, items) }),
    };
    const via = options.via === "auto" || options.via === "agents" ? undefined : options.via;
    const how = byAgents ? "by running their agents" : HOW[via ?? "harmless"];
    const progress = await startProgress(out, `refreshing ${summarise(items)} ${how}`);
    const report = reporter(progress, items.length, clock);
    try {
      results = locks
        ? await refreshByAgents(items, refresher, report)
        : await refreshOnDemand(
            items,
            refresher,
            { always: via !== undefined, via: via ?? "clouddriver" },
            report,
          );
    } finally {
      progress.stop();
    }
  } finally {
    locks?.close();
  }
  const unknown = results.filter(
    ({ verdict, name, via }) => verdict === "not-handled" && name !== "*" && via !== "none",
  );
  for (const result of unknown) {
    // A courtesy: what cannot be listed suggests nothing.
    const suggestion = nearest(result.name, await cachedIds(clouddriver, result).catch(() => []));
    if (suggestion) out.warn(`${itemText(result)}: did you mean "${suggestion}"?`);
  }
  const verdicts = results.map(({ verdict }) => verdict);
  return {
    data: { items: results, summary: count(verdicts) },
    exit: exitOf(results),
    text: (paint) =>
      table(
        ["VERDICT", "TYPE", "ACCOUNT", "REGION", "NAME", "VIA", "TOOK", "DETAIL"],
        results.map(({ verdict, type, account, region, name, via, durationMs, detail }) => [
          (isGood(verdict) ? paint.green : paint.yellow)(verdict),
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

/** Loaded when it is wanted, since it brings the AWS SDK along. */
async function verifier(...args: Parameters<typeof import("../refresh/verify.ts").createVerify>) {
  const { createVerify } = await import("../refresh/verify.ts");
  return createVerify(...args);
}

/** The agents that these accounts have, of those that `aec` runs: from introspection, and from their locks. */
async function agentsOfAccounts(
  clouddriver: Clouddriver,
  locks: LockStore | undefined,
  accounts: readonly Account[],
): Promise<Set<string>> {
  const { byAgent } = await clouddriver.executions();
  const candidates = accounts.flatMap(({ name: account, regions }) =>
    regions.flatMap((region) => RESOURCE_TYPES.flatMap((type) => agentsOf({ type, account, region }))),
  );
  const locked = await locks?.locksOf([...new Set(candidates)]);
  return new Set([...byAgent.keys(), ...(locked?.keys() ?? [])]);
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
