import { applicationOf } from "../clouddriver/application.ts";
import type { Clouddriver, OnDemandKind } from "../clouddriver/client.ts";
import type { WorkItem } from "./items.ts";

export interface OnDemandRequest {
  kind: OnDemandKind;
  body: Readonly<Record<string, unknown>>;
  /** How often it has to be sent: an agent may read what another one caches only with the same request. */
  times: number;
}

/** The request that the item's agent really reads (facts of each agent's `handle`), or undefined where none works. */
export async function onDemandRequest(
  clouddriver: Clouddriver,
  item: WorkItem,
): Promise<OnDemandRequest | undefined> {
  const { type, account, region, name } = item;
  const once = (kind: OnDemandKind, body: OnDemandRequest["body"]) => ({ kind, body, times: 1 });
  switch (type) {
    case "security-group":
      // The name is not read: one call reloads all groups of the account and Region.
      return once("aws/SecurityGroup", { account, region, securityGroupName: name });
    case "ecs-service":
      // Neither is this: five agents run, of which one reads the services that another has just cached.
      return { kind: "ecs/ServerGroup", body: { account, region, serverGroupName: name }, times: 2 };
    case "stack":
      // The agent casts the Region to a list, and calls the account credentials.
      return once("aws/CloudFormation", {
        credentials: account,
        region: [region],
        ...(name !== "*" && { stackName: name }),
      });
    case "server-group":
      if (name === "*") return undefined;
      return once("aws/ServerGroup", { account, region, serverGroupName: name });
    case "function": {
      if (name === "*") return undefined;
      // The name is asked for as it is where its application is the one that is given.
      const appName = applicationOf(name);
      return once("aws/Function", { account, credentials: account, region, functionName: name, appName });
    }
    case "load-balancer": {
      if (name === "*") return undefined;
      const [cached] = await clouddriver.loadBalancers(account, region, name);
      // A cached classic balancer is never refreshed on demand: the agent fails inside and answers 200.
      if (cached && (cached.loadBalancerType ?? "classic") === "classic") return undefined;
      return once("aws/LoadBalancer", {
        account,
        region,
        loadBalancerName: name,
        loadBalancerType: "application",
      });
    }
    default:
      return undefined;
  }
}

/**
 * Whether the call does no harm and shows at once. On the Redis cache a call for one server group hides the one that
 * was refreshed on demand before it, however long ago and by whomever, until the next full pass: so none is made.
 * Network balancers would get a record of the wrong type; stacks and functions show only after the next pass.
 */
export async function mayPost(clouddriver: Clouddriver, item: WorkItem): Promise<boolean> {
  const { type, account, region, name } = item;
  if (type === "load-balancer") {
    const [cached] = await clouddriver.loadBalancers(account, region, name);
    return cached?.loadBalancerType !== "network";
  }
  return type === "security-group" || type === "ecs-service";
}
