import pLimit from "p-limit";
import { type Account, createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, usageError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import { table } from "../output/table.ts";
import { AUDITED, type Audit, type AuditedType, audit, repairs } from "../refresh/audit.ts";
import { type WorkItem, workItems } from "../refresh/items.ts";
import type { RefreshOptions } from "./refresh.ts";

const MAX_CONCURRENT = 4;

/** `aec refresh --audit`: which ids AWS and the cache do not have in common; changes nothing. */
export async function auditAccount(context: Context, options: RefreshOptions): Promise<Audit[]> {
  const clouddriver = createClouddriver(context);
  const accounts = await clouddriver.accounts();
  const items = workItems({ ...options, names: [] }, accounts);
  const kinds = items.filter((item): item is WorkItem & { type: AuditedType } =>
    AUDITED.some((type) => type === item.type),
  );
  if (kinds.length === 0) {
    throw usageError("not-audited", `--audit: AWS is not asked for ${options.type}s`, {
      hint: `--type ${AUDITED.join(" or ")}`,
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
  const differs = audits.some(({ missing, ghosts }) => missing.length + ghosts.length > 0);
  const unknown = audits.filter((one) => one.unknown !== null).length;
  const exit: ExitCode =
    unknown === audits.length
      ? EXIT.failed
      : unknown > 0
        ? EXIT.partial
        : differs && exitCode
          ? EXIT.differences
          : EXIT.ok;
  return { data: { audit: audits }, exit, text: (paint) => auditText(audits, differs, paint) };
}

function auditText(audits: readonly Audit[], differs: boolean, paint: Paint): string {
  return [
    table(
      ["ACCOUNT", "REGION", "TYPE", "IN AWS", "IN CACHE", "MISSING", "GHOSTS"],
      audits.map(({ account, region, type, inAws, inCache, missing, ghosts }) => [
        account,
        region,
        type,
        inAws === null ? paint.yellow("unknown") : String(inAws),
        String(inCache),
        inAws === null ? "-" : String(missing.length),
        inAws === null ? "-" : String(ghosts.length),
      ]),
    ),
    ...audits.flatMap(({ account, region, type, missing, ghosts, unknown }) => [
      ...missing.map((id) => `missing  ${type} ${id} in ${account}/${region}`),
      ...ghosts.map((id) => `ghost    ${type} ${id} in ${account}/${region}`),
      ...(unknown === null ? [] : [paint.yellow(`unknown  ${type}s in ${account}/${region}: ${unknown}`)]),
    ]),
    ...(differs ? ["refresh just those with:  --fix"] : []),
  ].join("\n");
}
