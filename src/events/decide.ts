import { providerOf } from "../agents/kinds.ts";
import type { Account } from "../clouddriver/accounts.ts";
import type { WorkItem } from "../refresh/items.ts";
import type { Irrelevant, ResourceEvent } from "./event.ts";

export type Decision =
  | { outcome: "refresh"; event: ResourceEvent; work: WorkItem[] }
  | { outcome: "ignore"; reason: string };

/** What to do about an event: the same resource under every Spinnaker account that looks at its AWS account. */
export function decide(event: ResourceEvent | Irrelevant, accounts: readonly Account[]): Decision {
  if ("ignored" in event) return { outcome: "ignore", reason: event.ignored };
  const owners = accounts.filter(
    ({ provider, awsAccountId }) =>
      provider === providerOf(event.type) && awsAccountId === event.awsAccountId,
  );
  if (owners.length === 0) {
    const provider = providerOf(event.type);
    return {
      outcome: "ignore",
      reason: `no Spinnaker account of ${provider} looks at AWS account ${event.awsAccountId}`,
    };
  }
  const here = owners.filter(({ regions }) => regions.includes(event.region));
  if (here.length === 0) {
    const names = owners.map(({ name }) => name).join(", ");
    return { outcome: "ignore", reason: `${names} does not look at ${event.region.slice(0, 40)}` };
  }
  const work = here.map(({ name: account }): WorkItem => {
    const { type, region, name } = event;
    return { provider: providerOf(type), type, account, region, name };
  });
  return { outcome: "refresh", event, work };
}
