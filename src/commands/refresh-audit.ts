import pLimit from "p-limit";
import type { Account } from "../clouddriver/accounts.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, usageError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import { table } from "../output/table.ts";
import { type Audit, audit, repairs } from "../refresh/audit.ts";
import { COMPARED, type ComparedType, isCompared } from "../refresh/aws-facts.ts";
import { type WorkItem, workItems } from "../refresh/items.ts";
import { isRefusal } from "../refresh/verdict.ts";
import type { RefreshOptions } from "./refresh.ts";

const MAX_CONCURRENT = 4;

/** `aec refresh --audit`: where AWS and the cache differ; changes nothing. */
export async function auditAccount(
  context: Context,
  clouddriver: Clouddriver,
  accounts: readonly Account[],
  options: RefreshOptions,
): Promise<Audit[]> {
  const items = workItems({ ...options, names: [] }, accounts, new Set());
  const kinds = items.filter((item): item is WorkItem & { type: ComparedType } => isCompared(item.type));
  if (kinds.length === 0) {
    throw usageError("not-audited", `--audit: AWS is not asked for ${options.type}`, {
      hint: `--type ${COMPARED.join(", ")}`,
    });
  }
  const limit = pLimit(MAX_CONCURRENT);
  return Promise.all(
    kinds.map(({ type, account, region }) =>
      limit(() => audit(context, clouddriver, accountNamed(accounts, account), region, type)),
    ),
  );
}

function accountNamed(accounts: readonly Account[], name: string): Account {
  const found = accounts.find((account) => account.name === name);
  if (!found) throw new Error("a work item without its account");
  return found;
}

/** Everything that `--fix` refreshes. */
export function itemsToFix(audits: readonly Audit[]): WorkItem[] {
  return audits.flatMap(repairs);
}

export function auditResult(audits: readonly Audit[], exitCode: boolean | undefined): CommandResult {
  const differs = audits.some((one) => one.missing.length + one.ghosts.length + one.drifted.length > 0);
  const exit = exitFor(audits, differs && exitCode === true);
  return { data: { audit: audits }, exit, text: (paint) => auditText(audits, differs, paint) };
}

function exitFor(audits: readonly Audit[], tellDifferences: boolean): ExitCode {
  const unknown = audits.filter((one) => one.unknown !== null).length;
  if (unknown === audits.length)
    return audits.every(({ error }) => isRefusal(error)) ? EXIT.credentials : EXIT.failed;
  if (unknown > 0) return EXIT.partial;
  return tellDifferences ? EXIT.differences : EXIT.ok;
}

function auditText(audits: readonly Audit[], differs: boolean, paint: Paint): string {
  return [
    table(
      ["ACCOUNT", "REGION", "TYPE", "IN AWS", "IN CACHE", "MISSING", "GHOSTS", "DRIFTED"],
      audits.map(({ account, region, type, inAws, inCache, missing, ghosts, drifted }) => [
        account,
        region,
        type,
        inAws === null ? paint.yellow("unknown") : String(inAws),
        String(inCache),
        ...[missing, ghosts, drifted].map(({ length }) => (inAws === null ? "-" : String(length))),
      ]),
    ),
    ...audits.flatMap(({ account, region, type, missing, ghosts, drifted, unknown }) => [
      ...missing.map((id) => `missing  ${type} ${id} in ${account}/${region}`),
      ...ghosts.map((id) => `ghost    ${type} ${id} in ${account}/${region}`),
      ...drifted.map(
        ({ id, differences }) => `drifted  ${type} ${id} in ${account}/${region}: ${differences.join("; ")}`,
      ),
      ...(unknown === null ? [] : [paint.yellow(`unknown  ${type}s in ${account}/${region}: ${unknown}`)]),
    ]),
    ...(differs ? ["refresh just those with:  --fix"] : []),
  ].join("\n");
}
