import type { Account } from "../clouddriver/accounts.ts";
import type { Context } from "../context.ts";

/** The accounts of `aec.yml`, as Clouddriver's are. */
export function configuredAccounts({ settings }: Context): Account[] {
  return (settings.section.accounts ?? []).map(({ name, awsAccountId, regions }) => ({
    name,
    awsAccountId,
    regions: regions ?? [],
    provider: "aws",
  }));
}

/** Clouddriver's accounts, and those of `aec.yml` that it does not show. */
export function withConfigured(found: readonly Account[], configured: readonly Account[]): Account[] {
  const names = new Set(found.map(({ name }) => name));
  return [...found, ...configured.filter(({ name }) => !names.has(name))];
}
