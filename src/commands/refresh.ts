import { agentsOf, RESOURCE_TYPES, type ResourceType } from "../agents/kinds.ts";
import { assertOwnLockStore } from "../agents/own-store.ts";
import { openLockStore } from "../agents/stores/open.ts";
import type { LockStore } from "../agents/stores/store.ts";
import type { Account } from "../clouddriver/accounts.ts";
import { type Clouddriver, createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { EXIT, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { CommandResult } from "../output/output.ts";
import { startProgress } from "../output/progress.ts";
import { configuredIntervalMs } from "../polling/configured.ts";
import { applicationItems } from "../refresh/application.ts";
import { refreshByAgents } from "../refresh/by-agents.ts";
import { itemText, type WorkItem, workItems } from "../refresh/items.ts";
import { refreshOnDemand } from "../refresh/on-request.ts";
import { cachedIds } from "../refresh/read-back.ts";
import type { ItemResult, OnDemandVia, Refresher } from "../refresh/refresh.ts";
import { createTurns } from "../refresh/turns.ts";
import { numberOption } from "./number-option.ts";
import { reporter } from "./refresh-progress.ts";
import { refreshResult } from "./refresh-result.ts";

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
  if (options.fix && !options.audit)
    throw usageError("fix-needs-audit", "--fix repairs what --audit finds: add --audit");
  if (options.audit && names.length > 0)
    throw usageError("audit-without-names", "--audit compares all ids: give no names");
  const accounts = await clouddriver.accounts();
  if (!options.audit) {
    return refresh(context, clouddriver, accounts, options, (agents, all) => {
      const args = { ...options, names };
      const { application } = options;
      if (application !== undefined) return applicationItems(clouddriver, application, args, all);
      return workItems(args, all, agents);
    });
  }
  const { auditAccount, auditResult, itemsToFix } = await import("./refresh-audit.ts");
  const audits = await auditAccount(context, clouddriver, accounts, options);
  const items = itemsToFix(audits);
  if (!options.fix || items.length === 0) return auditResult(audits, options.exitCode);
  const result = await refresh(context, clouddriver, accounts, options, () => items);
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
  await suggestNearMisses(context, clouddriver, results);
  return refreshResult(results);
}

/** Warns of names that exist nowhere, where the cache has one like it. */
async function suggestNearMisses(
  { out }: Context,
  clouddriver: Clouddriver,
  results: readonly ItemResult[],
): Promise<void> {
  for (const result of results) {
    const { verdict, name, via } = result;
    if (verdict !== "not-handled" || name === "*" || via === "none") continue;
    // A courtesy: what cannot be listed suggests nothing.
    const suggestion = nearest(name, await cachedIds(clouddriver, result).catch(() => []));
    if (suggestion) out.warn(`${itemText(result)}: did you mean "${suggestion}"?`);
  }
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
