import type { Clouddriver, OnDemandKind } from "../clouddriver/client.ts";
import type { WorkItem } from "./items.ts";

export interface OnDemandRequest {
  kind: OnDemandKind;
  body: Readonly<Record<string, unknown>>;
}

/** The request that the item's agent really reads (facts of each agent's `handle`), or undefined where none works. */
export async function onDemandRequest(
  clouddriver: Clouddriver,
  item: WorkItem,
): Promise<OnDemandRequest | undefined> {
  const { type, account, region, name } = item;
  if (type === "security-group") {
    // The name is not read: one call reloads all groups of the account and Region.
    return { kind: "SecurityGroup", body: { account, region, securityGroupName: name } };
  }
  if (name === "*") return undefined;
  if (type === "server-group")
    return { kind: "ServerGroup", body: { account, region, serverGroupName: name } };

  const [cached] = await clouddriver.loadBalancers(account, region, name);
  // A cached classic balancer is never refreshed on demand: the agent fails inside and answers 200.
  if (cached && (cached.loadBalancerType ?? "classic") === "classic") return undefined;
  return {
    kind: "LoadBalancer",
    body: { account, region, loadBalancerName: name, loadBalancerType: "application" },
  };
}

/**
 * Whether the call does no harm. On the Redis cache a call for one server group hides the one that was refreshed on
 * demand before it, until the next full pass: so only a group that is not cached is asked for, and only while no other
 * group of the account and Region has a record. Network balancers would get a record of the wrong type.
 */
export async function mayPost(clouddriver: Clouddriver, item: WorkItem): Promise<boolean> {
  const { type, account, region, name } = item;
  if (type === "security-group") return true;
  if (type === "load-balancer") {
    const [cached] = await clouddriver.loadBalancers(account, region, name);
    return cached?.loadBalancerType !== "network";
  }
  const [cached, pending] = await Promise.all([
    clouddriver.serverGroup(account, region, name),
    clouddriver.pendingServerGroups(),
  ]);
  const others = pending.some(
    ({ details }) =>
      details?.account === account && details.region === region && details.serverGroup !== name,
  );
  return cached === undefined && !others;
}
