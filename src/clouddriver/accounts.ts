import type { Reads } from "./reads.ts";

/** An account as Spinnaker names it. */
export interface Account {
  name: string;
  /** 12 digits. */
  awsAccountId: string;
  regions: readonly string[];
  /** `aws`, `ecs`, … */
  provider: string;
  /** The role that Spinnaker takes on: an ARN, or `role/NAME`. */
  assumeRole?: string | undefined;
}

interface CredentialsEntry {
  name: string;
  cloudProvider?: string;
  type?: string;
  accountId?: string;
  awsAccount?: string;
  assumeRole?: string;
  regions?: { name: string }[];
}

/** All accounts with their Regions, of every provider; Gate has the same route. */
export async function readAccounts({ list }: Pick<Reads, "list">): Promise<Account[]> {
  const { body } = await list<CredentialsEntry>("/credentials?expand=true");
  return body.map((entry) => ({
    name: entry.name,
    awsAccountId: entry.accountId ?? entry.awsAccount ?? "",
    regions: (entry.regions ?? []).map(({ name }) => name),
    provider: entry.cloudProvider ?? entry.type ?? "",
    ...(entry.assumeRole !== undefined && { assumeRole: entry.assumeRole }),
  }));
}
