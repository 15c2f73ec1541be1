import type { Clouddriver, LoadBalancer, ServerGroup } from "../clouddriver/client.ts";
import type { ComparedType } from "./aws-facts.ts";
import { type Fact, ruleText } from "./facts.ts";

/** What the cache has of a kind in an account and Region; with names only of these. */
export async function cachedFacts(
  clouddriver: Clouddriver,
  type: ComparedType,
  account: string,
  region: string,
  names?: readonly string[],
): Promise<Fact[]> {
  switch (type) {
    case "server-group": {
      const wanted = names ?? (await clouddriver.names("serverGroups", account, region));
      const found = await Promise.all(wanted.map((name) => clouddriver.serverGroup(account, region, name)));
      return found.flatMap((group) => (group ? groupFact(group) : []));
    }
    case "security-group": {
      const groups = await clouddriver.securityGroups(account, region);
      const wanted = groups.filter(({ id, name }) => !names || names.includes(id) || names.includes(name));
      const found = await Promise.all(
        wanted.map(async (group) => {
          const detail = (await clouddriver.securityGroup(account, region, group)) as SecurityGroupView;
          return detail && { id: group.id, name: group.name, facts: { rules: inboundRules(detail) } };
        }),
      );
      return found.filter((fact) => fact !== undefined);
    }
    case "load-balancer": {
      const wanted = names ?? (await clouddriver.names("loadBalancers", account, region));
      const found = await Promise.all(
        [...new Set(wanted)].map(async (name) =>
          (await clouddriver.loadBalancers(account, region, name)).map((balancer) =>
            balancerFact(name, balancer),
          ),
        ),
      );
      return found.flat();
    }
    case "ecs-service": {
      // Nothing of Clouddriver's lists them.
      const found = await Promise.all(
        (names ?? []).map((name) => clouddriver.serverGroup(account, region, name)),
      );
      return found.flatMap((service) => (service ? serviceFact(service) : []));
    }
  }
}

/** A service of ECS, shown as a server group (EcsServerGroup of clouddriver-ecs). */
function serviceFact({ name, capacity, ecsCluster = "", taskDefinition }: ServerGroup): Fact {
  const facts = { cluster: ecsCluster, taskDefinition: taskDefinition?.taskName ?? "" };
  return { id: name, name, facts: { ...capacityFacts(capacity), ...facts } };
}

function capacityFacts(capacity: ServerGroup["capacity"]) {
  return {
    min: String(capacity?.min),
    max: String(capacity?.max),
    desired: String(capacity?.desired),
  };
}

/** The group as AWS told it; `instances` beside it come from another agent, which may be behind. */
function groupFact({ name, capacity, asg, instances }: ServerGroup): Fact {
  const ids =
    asg?.instances?.map(({ instanceId }) => instanceId) ?? instances?.map((one) => one.name ?? one.id);
  const known = (ids ?? []).filter((id) => id !== undefined);
  return { id: name, name, facts: { ...capacityFacts(capacity), instances: known } };
}

/** A rule as `AmazonSecurityGroupProvider` shows it: of a range of addresses, or of another group. */
interface InboundRule {
  protocol?: string;
  range?: { ip?: string; cidr?: string };
  securityGroup?: { id?: string };
  portRanges?: { startPort?: number | null; endPort?: number | null }[];
}

interface SecurityGroupView {
  inboundRules?: InboundRule[];
}

function inboundRules({ inboundRules: rules = [] }: SecurityGroupView): string[] {
  return rules.flatMap(({ protocol, range, securityGroup, portRanges = [] }) => {
    const source = range ? `${range.ip}${range.cidr}` : (securityGroup?.id ?? "");
    return portRanges.map(({ startPort, endPort }) => ruleText(protocol, startPort, endPort, source));
  });
}

function balancerFact(name: string, balancer: LoadBalancer): Fact {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    id: name,
    name,
    facts: {
      type: balancer.loadBalancerType ?? "classic",
      scheme: text(balancer.scheme),
      vpcId: text(balancer.vpcId ?? balancer.vpcid),
    },
  };
}
