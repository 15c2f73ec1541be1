import { groupArn } from "./arn.ts";
import { awsError } from "./error.ts";
import { flag, type Input, integer, optionalText, text, texts } from "./input.ts";
import { type AutoScalingGroup, awsId, type Inventory } from "./inventory.ts";
import { page } from "./paging.ts";
import { queryProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";

const KIND = "auto-scaling-group";
const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

/** Auto Scaling over the inventory; instances come and go at once. */
export function createAutoScaling(inventory: Inventory, account: string): Service {
  const groupOf = (region: string, input: Input): AutoScalingGroup => {
    const name = text(input, "AutoScalingGroupName");
    const found = inventory.get(KIND, region, name);
    if (!found) throw invalid(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`);
    return found;
  };

  return {
    protocol: queryProtocol("http://autoscaling.amazonaws.com/doc/2011-01-01/"),
    actions: {
      DescribeAutoScalingGroups: ({ region, input }) => {
        const names = texts(input, "AutoScalingGroupNames");
        const size = integer(input, "MaxRecords") ?? DEFAULT_PAGE;
        if (size < 1 || size > MAX_PAGE) throw invalid(`MaxRecords must be between 1 and ${MAX_PAGE}`);
        const all = inventory.list(KIND, region);
        const wanted = names.length > 0 ? all.filter((group) => names.includes(group.name)) : all;
        const { items, next } = page(wanted, optionalText(input, "NextToken"), size);
        const shown = items.map((group) => ({
          ...described(group, region, account),
          ...(input.IncludeInstances === "false" && { Instances: [] }),
        }));
        return { AutoScalingGroups: shown, NextToken: next };
      },
      // The sandbox's groups have neither.
      DescribeLaunchConfigurations: () => ({ LaunchConfigurations: [] }),
      DescribePolicies: () => ({ ScalingPolicies: [] }),
      CreateAutoScalingGroup: ({ region, input }) => {
        const name = text(input, "AutoScalingGroupName");
        if (inventory.get(KIND, region, name)) {
          const reason = "AutoScalingGroup by this name already exists";
          throw awsError("AlreadyExists", `${reason} - A group with the name ${name} already exists`);
        }
        const min = integer(input, "MinSize") ?? 0;
        const max = integer(input, "MaxSize") ?? min;
        const loadBalancers = texts(input, "LoadBalancerNames");
        const empty = { name, min, max, desired: 0, instanceIds: [], loadBalancers };
        inventory.put(KIND, region, resized(empty, min, max, integer(input, "DesiredCapacity") ?? min));
      },
      UpdateAutoScalingGroup: ({ region, input }) => {
        const group = groupOf(region, input);
        const min = integer(input, "MinSize") ?? group.min;
        const max = integer(input, "MaxSize") ?? group.max;
        // Without a DesiredCapacity, AWS moves the old one into the new bounds.
        const bounded = Math.min(Math.max(group.desired, min), max);
        const desired = integer(input, "DesiredCapacity") ?? bounded;
        inventory.put(KIND, region, resized(group, min, max, desired));
      },
      DeleteAutoScalingGroup: ({ region, input }) => {
        const group = groupOf(region, input);
        if (group.instanceIds.length > 0 && !flag(input, "ForceDelete")) {
          throw awsError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance " +
              "request(s) still in the group.",
          );
        }
        inventory.remove(KIND, region, group.name);
      },
    },
  };
}

function invalid(reason: string) {
  return awsError("ValidationError", reason);
}

function resized(group: AutoScalingGroup, min: number, max: number, desired: number): AutoScalingGroup {
  if (min > max) throw invalid(`Max bound, ${max}, must be greater than or equal to min bound, ${min}`);
  if (desired < min || desired > max) {
    throw invalid(
      `Desired capacity:${desired} must be between the specified min size:${min} and max size:${max}`,
    );
  }
  const kept = group.instanceIds.slice(0, desired);
  const launched = Array.from({ length: desired - kept.length }, () => awsId("i"));
  return { ...group, min, max, desired, instanceIds: [...kept, ...launched] };
}

function described(group: AutoScalingGroup, region: string, account: string) {
  return {
    AutoScalingGroupName: group.name,
    AutoScalingGroupARN: groupArn(region, account, group.name),
    MinSize: group.min,
    MaxSize: group.max,
    DesiredCapacity: group.desired,
    DefaultCooldown: 300,
    AvailabilityZones: [`${region}a`],
    LoadBalancerNames: group.loadBalancers,
    TargetGroupARNs: [],
    HealthCheckType: "EC2",
    HealthCheckGracePeriod: 0,
    Instances: group.instanceIds.map((InstanceId) => ({
      InstanceId,
      AvailabilityZone: `${region}a`,
      LifecycleState: "InService",
      HealthStatus: "Healthy",
      ProtectedFromScaleIn: false,
    })),
    CreatedTime: "2026-01-01T00:00:00.000Z",
  };
}
