import type { Clouddriver } from "./client.ts";

/** A balancer as `/aws/loadBalancers` of Clouddriver lists it, below its name, account and Region. */
export interface LoadBalancerSummary {
  account: string;
  region: string;
  name: string;
  /** Absent for classic balancers on some versions. */
  loadBalancerType?: string;
  targetGroups?: { name: string }[];
}

/** All balancers that are cached. */
export async function allLoadBalancers(
  clouddriver: Pick<Clouddriver, "list">,
): Promise<LoadBalancerSummary[]> {
  interface Name {
    accounts: { regions: { loadBalancers: LoadBalancerSummary[] }[] }[];
  }
  const names = await clouddriver.list<Name>("/aws/loadBalancers");
  return names.flatMap(({ accounts }) =>
    accounts.flatMap(({ regions }) => regions.flatMap(({ loadBalancers }) => loadBalancers)),
  );
}

export const isV2 = ({ loadBalancerType = "classic" }: LoadBalancerSummary) => loadBalancerType !== "classic";
