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
