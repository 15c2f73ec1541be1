import { GLOBAL_REGION, isGlobal, providerOf } from "../agents/kinds.ts";
import type { Account } from "../clouddriver/accounts.ts";
import type { WorkItem } from "../refresh/items.ts";
import type { Pressure, ResourceEvent } from "./event.ts";

export type Decision =
  | { outcome: "refresh"; work: WorkItem[]; warning?: string }
  | { outcome: "ignore"; reason: string };

/** What to do about an event: the same resource under every Spinnaker account that looks at its AWS account. */
export function decide(event: ResourceEvent, accounts: readonly Account[]): Decision {
  const { awsAccountId, region, type, name } = event;
  const provider = providerOf(type);
  const owners = accounts.filter(
    (account) => account.provider === provider && account.awsAccountId === awsAccountId,
  );
  if (owners.length === 0) {
    return {
      outcome: "ignore",
      reason: `no Spinnaker account of ${provider} looks at AWS account ${awsAccountId}`,
    };
  }
  const here = isGlobal(type) ? owners : owners.filter(({ regions }) => regions.includes(region));
  if (here.length === 0) {
    const names = owners.map((owner) => owner.name).join(", ");
    return { outcome: "ignore", reason: `${names} does not look at ${region.slice(0, 40)}` };
  }
  const where = isGlobal(type) ? GLOBAL_REGION : region;
  const work = here.map(({ name: account }): WorkItem => ({ provider, type, account, region: where, name }));
  const warning = type === "iam-role" ? assumedBy(name, owners) : undefined;
  return { outcome: "refresh", work, ...(warning !== undefined && { warning }) };
}

/** Without its role Spinnaker sees and changes nothing of an account. */
function assumedBy(role: string, accounts: readonly Account[]): string | undefined {
  const those = accounts.filter(({ assumeRole }) => assumeRole?.split("/").at(-1) === role);
  const names = those.map(({ name }) => name).join(", ");
  return names === "" ? undefined : `Spinnaker assumes the role ${role} for ${names}: it was changed`;
}

/** The accounts that have to be gentler with AWS in a Region, or no longer: all that look at its AWS account there. */
export function accountsUnder({ awsAccountId, region }: Pressure, accounts: readonly Account[]): string[] {
  return accounts
    .filter((account) => account.awsAccountId === awsAccountId && account.regions.includes(region))
    .map(({ name }) => name);
}
