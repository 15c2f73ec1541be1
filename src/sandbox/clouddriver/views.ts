import type { Account } from "./agents.ts";
import type { Cache, Entry } from "./cache.ts";
import { parseServerGroupName } from "./frigga.ts";

/** An account as `/credentials` lists it; `expand` adds what `/credentials/{name}` shows. */
export function credentialsView(
  { name, accountId, regions, provider = "aws", features = [] }: Account,
  expand: boolean,
): object {
  const summary = {
    name,
    environment: name,
    accountType: name,
    cloudProvider: provider,
    requiredGroupMembership: [],
    permissions: {},
    accountId,
    type: provider,
    challengeDestructiveActions: false,
    primaryAccount: false,
  };
  if (!expand) return summary;
  return {
    ...summary,
    enabled: true,
    regions: regions.map((region) => {
      const zones = ["a", "b", "c"].map((zone) => region + zone);
      return { name: region, availabilityZones: zones, preferredZones: zones, deprecated: false };
    }),
    eddaEnabled: false,
    lambdaEnabled: features.includes("lambda"),
    allowPrivateThirdPartyImages: false,
  };
}

/** A server group as `/serverGroups/{account}/{region}/{name}` shows it, with the health that the balancers cached have. */
export function serverGroupView(
  { account, region, resource }: Entry<"auto-scaling-group">,
  balancers: readonly Entry<"load-balancer">[],
): object {
  const { name, min, max, desired, instanceIds, loadBalancers, targetGroups = [] } = resource;
  const moniker = parseServerGroupName(name);
  const unhealthy = balancers.flatMap((balancer) =>
    balancer.account === account &&
    balancer.region === region &&
    balancer.resource.targetGroups?.some((group) => targetGroups.includes(group))
      ? (balancer.resource.unhealthy ?? [])
      : [],
  );
  const stateOf = (id: string) => (unhealthy.includes(id) ? "Down" : "Up");
  const up = instanceIds.filter((id) => stateOf(id) === "Up").length;
  return {
    name,
    account,
    region,
    cluster: moniker.cluster,
    application: moniker.app,
    type: "aws",
    cloudProvider: "aws",
    asg: {
      autoScalingGroupName: name,
      minSize: min,
      maxSize: max,
      desiredCapacity: desired,
      instances: instanceIds.map((instanceId) => ({
        instanceId,
        healthStatus: "Healthy",
        lifecycleState: "InService",
      })),
      loadBalancerNames: loadBalancers,
      suspendedProcesses: [],
      tags: [],
    },
    capacity: { min, max, desired },
    instances: instanceIds.map((id) => ({ name: id, id, healthState: stateOf(id), health: [] })),
    instanceCounts: {
      total: instanceIds.length,
      up,
      down: instanceIds.length - up,
      unknown: 0,
      outOfService: 0,
      starting: 0,
    },
    loadBalancers,
    targetGroups,
    securityGroups: [],
    disabled: false,
    moniker,
  };
}

/** A security group as `/securityGroups/{account}/aws/{region}/{nameOrId}` shows it. */
export function securityGroupView({ account, region, resource }: Entry<"security-group">): object {
  const { id, name, vpcId, rules } = resource;
  return {
    type: "aws",
    cloudProvider: "aws",
    id,
    name,
    vpcId,
    accountName: account,
    region,
    application: parseServerGroupName(name).app,
    inboundRules: rules.map((rule) => {
      const [, ip = rule, bits = "32", port = "0"] = /^(.+)\/(\d+):(\d+)$/.exec(rule) ?? [];
      const portRanges = [{ startPort: Number(port), endPort: Number(port) }];
      return { range: { ip, cidr: `/${bits}` }, protocol: "tcp", portRanges };
    }),
    outboundRules: [],
    moniker: parseServerGroupName(name),
  };
}

/** A security group in a list. */
export function securityGroupSummary({ resource: { name, id, vpcId } }: Entry<"security-group">): object {
  return { name, id, vpcId };
}

/** A balancer as `/aws/loadBalancers/{account}/{region}/{name}` shows it, there in an array. */
export function loadBalancerView({ account, region, resource }: Entry<"load-balancer">): object {
  const { name, type: loadBalancerType, vpcId, scheme, targetGroups = [] } = resource;
  return {
    name,
    loadBalancerName: name,
    loadBalancerType,
    account,
    region,
    vpcId,
    vpcid: vpcId,
    scheme,
    targetGroups: targetGroups.map((targetGroup) => ({
      name: targetGroup,
      targetGroupName: targetGroup,
      targetType: "instance",
    })),
  };
}

/** All balancers as `/aws/loadBalancers` groups them: by name, account, Region. */
export function loadBalancerTree(entries: readonly Entry<"load-balancer">[]): object[] {
  return branches(entries, "key", (ofName) => ({
    accounts: branches(ofName, "account", (ofAccount) => ({
      regions: branches(ofAccount, "region", (inRegion) => ({
        loadBalancers: inRegion.map(loadBalancerView),
      })),
    })),
  }));
}

function branches<E extends Entry>(
  entries: readonly E[],
  field: "key" | "account" | "region",
  rest: (entries: readonly E[]) => object,
): object[] {
  const names = [...new Set(entries.map((entry) => entry[field]))];
  return names.map((name) => ({ name, ...rest(entries.filter((entry) => entry[field] === name)) }));
}

/** `GET /search`: one page of what matches, as CatsSearchProvider answers. */
export function searchView(cache: Cache, query: URLSearchParams): object[] {
  const q = query.get("q") ?? "";
  const types = query.getAll("type").flatMap((value) => value.split(","));
  const provider = query.get("cloudProvider");
  const pageSize = Number(query.get("pageSize") ?? 10);
  const pageNumber = Number(query.get("page") ?? 1);
  const wanted = ({ id, account, region }: Entry) =>
    id.toLowerCase().includes(q.toLowerCase()) &&
    (types.length === 0 || types.includes(id.split(":")[1] ?? "")) &&
    (provider === null || provider === "aws") &&
    [null, account].includes(query.get("account")) &&
    [null, region].includes(query.get("region"));
  const all = [
    ...cache.all("auto-scaling-group"),
    ...cache.all("security-group"),
    ...cache.all("load-balancer"),
    ...cache.all("instance"),
    ...cache.all("target-group"),
  ];
  const matches = all.filter(wanted);
  const results = matches.slice((pageNumber - 1) * pageSize, pageNumber * pageSize).map(searchResult);
  return [{ totalMatches: matches.length, pageNumber, pageSize, platform: "aws", query: q, results }];
}

function searchResult(entry: Entry): object {
  const { kind, account, region, key } = entry;
  const common = { provider: "aws", account, region };
  switch (kind) {
    case "auto-scaling-group": {
      const { app: application, cluster, stack, detail, sequence } = parseServerGroupName(key);
      const url = `/applications/${application}/clusters/${account}/${cluster}/aws/serverGroups/${key}?region=${region}`;
      const name = { application, cluster, serverGroup: key, stack, detail, sequence };
      return { ...common, type: "serverGroups", ...name, url };
    }
    case "security-group": {
      const { id, name, vpcId } = entry.resource;
      const application = parseServerGroupName(name).app;
      const url = `/securityGroups/${account}/aws/${name}?region=${region}`;
      return { ...common, type: "securityGroups", id, name, vpcId, application, url };
    }
    case "load-balancer": {
      const { vpcId, type: loadBalancerType } = entry.resource;
      const application = parseServerGroupName(key).app;
      return { ...common, type: "loadBalancers", loadBalancer: key, loadBalancerType, vpcId, application };
    }
    case "instance":
      return { ...common, type: "instances", instanceId: key };
    default:
      return { ...common, type: "targetGroups", targetGroup: key };
  }
}
