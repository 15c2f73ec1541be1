import type { Account } from "../clouddriver/accounts.ts";
import type { Context } from "../context.ts";

/** The accounts of `aec.yml`, as Clouddriver's are. */
export function configuredAccounts({ settings }: Context): Account[] {
  return (settings.section.accounts ?? []).map(({ name, awsAccountId, regions, assumeRole }) => ({
    name,
    awsAccountId,
    regions: regions ?? [],
    provider: "aws",
    ...(assumeRole !== undefined && { assumeRole }),
  }));
}

/** Clouddriver's accounts, and those of `aec.yml` that it does not show; it need not tell their roles. */
export function withConfigured(found: readonly Account[], configured: readonly Account[]): Account[] {
  const names = new Set(found.map(({ name }) => name));
  const roles = new Map(configured.map(({ name, assumeRole }) => [name, assumeRole]));
  return [
    ...found.map((account) => ({ ...account, assumeRole: account.assumeRole ?? roles.get(account.name) })),
    ...configured.filter(({ name }) => !names.has(name)),
  ];
}
