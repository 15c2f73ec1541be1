import type { ResourceType } from "../agents/kinds.ts";
import type { Place } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { type Fact, ruleText } from "./facts.ts";

/** Kinds that AWS is asked for. */
export const COMPARED = [
  "server-group",
  "security-group",
  "load-balancer",
  "ecs-service",
] as const satisfies readonly ResourceType[];
export type ComparedType = (typeof COMPARED)[number];

export function isCompared(type: ResourceType): type is ComparedType {
  return COMPARED.some((one) => one === type);
}

/** What AWS has of a kind in an account and Region, of server groups those of these names only. */
export async function awsFacts(
  context: Context,
  place: Place,
  type: ComparedType,
  names?: readonly string[],
): Promise<Fact[]> {
  switch (type) {
    case "server-group": {
      const { autoScalingGroups } = await import("../aws/auto-scaling.ts");
      const groups = await autoScalingGroups(context, place, names);
      return groups.map(
        ({ AutoScalingGroupName: name = "", MinSize, MaxSize, DesiredCapacity, Instances }) => ({
          id: name,
          name,
          facts: {
            min: String(MinSize),
            max: String(MaxSize),
            desired: String(DesiredCapacity),
            instances: (Instances ?? []).flatMap(({ InstanceId }) => InstanceId ?? []).toSorted(),
          },
        }),
      );
    }
    case "security-group": {
      const { securityGroups } = await import("../aws/ec2.ts");
      return (await securityGroups(context, place)).map(({ id, name, ingress }) => ({
        id,
        name,
        facts: {
          rules: ingress
            .map(({ protocol, from, to, source }) => ruleText(protocol, from, to, source))
            .toSorted(),
        },
      }));
    }
    case "load-balancer": {
      const { loadBalancers } = await import("../aws/elastic-load-balancing.ts");
      return (await loadBalancers(context, place)).map(({ name, ...facts }) => ({ id: name, name, facts }));
    }
    case "ecs-service": {
      const { ecsServices } = await import("../aws/ecs.ts");
      return (await ecsServices(context, place)).map(({ name, min, max, desired, ...facts }) => ({
        id: name,
        name,
        facts: { min: String(min), max: String(max), desired: String(desired), ...facts },
      }));
    }
  }
}
