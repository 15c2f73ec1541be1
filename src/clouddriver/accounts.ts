import type { Reads } from "./reads.ts";

/** An account as Spinnaker names it. */
export interface Account {
  name: string;
  /** 12 digits. */
  awsAccountId: string;
  regions: readonly string[];
  /** `aws`, `ecs`, … */
  provider: string;
}

interface CredentialsEntry {
  name: string;
  cloudProvider?: string;
  type?: string;
  accountId?: string;
  awsAccount?: string;
  regions?: { name: string }[];
}

/** All accounts with their Regions, of every provider; Gate has the same route. */
export async function readAccounts({ list }: Reads): Promise<Account[]> {
  const { body } = await list<CredentialsEntry>("/credentials?expand=true");
  return body.map((entry) => ({
    name: entry.name,
    awsAccountId: entry.accountId ?? entry.awsAccount ?? "",
    regions: (entry.regions ?? []).map(({ name }) => name),
    provider: entry.cloudProvider ?? entry.type ?? "",
  }));
}
