import { isDeepStrictEqual } from "node:util";
import { arn, balancerArn, groupArn } from "./arn.ts";
import type { Input } from "./input.ts";
import type { Change, PlainKind, Resource, ResourceKind } from "./inventory.ts";

/** What Config writes about a resource; `configuration` in lowerCamel, as for all hand-made recorders. */
interface Described {
  resourceType: string;
  resourceId: string;
  resourceName: string;
  ARN: string;
  availabilityZone: string;
  relationships: Relationship[];
  configuration: Input;
}
interface Relationship {
  resourceId: string;
  resourceName: null;
  resourceType: string;
  name: string;
}

const relationship = (resourceType: string, resourceId: string, name: string): Relationship => ({
  resourceId,
  resourceName: null,
  resourceType,
  name,
});
const MULTIPLE_ZONES = "Multiple Availability Zones";

/** Shapes from awslabs/aws-config-resource-schema, as far as the sandbox's inventory goes. */
const DESCRIBE: {
  [K in Exclude<ResourceKind, PlainKind>]: (
    resource: Resource<K>,
    region: string,
    account: string,
  ) => Described;
} = {
  "auto-scaling-group": (group, region, account) => {
    const groupARN = groupArn(region, account, group.name);
    return {
      resourceType: "AWS::AutoScaling::AutoScalingGroup",
      resourceId: groupARN,
      resourceName: group.name,
      ARN: groupARN,
      availabilityZone: MULTIPLE_ZONES,
      relationships: group.instanceIds.map((id) =>
        relationship("AWS::EC2::Instance", id, "Contains Instance"),
      ),
      configuration: {
        autoScalingGroupName: group.name,
        autoScalingGroupARN: groupARN,
        minSize: group.min,
        maxSize: group.max,
        desiredCapacity: group.desired,
        defaultCooldown: 300,
        availabilityZones: [`${region}a`],
        loadBalancerNames: group.loadBalancers,
        targetGroupARNs: [],
        healthCheckType: "EC2",
        healthCheckGracePeriod: 0,
        instances: group.instanceIds.map((instanceId) => ({
          instanceId,
          availabilityZone: `${region}a`,
          lifecycleState: "InService",
          healthStatus: "Healthy",
          protectedFromScaleIn: false,
        })),
        suspendedProcesses: [],
        enabledMetrics: [],
        terminationPolicies: ["Default"],
      },
    };
  },
  "security-group": (group, region, account) => ({
    resourceType: "AWS::EC2::SecurityGroup",
    resourceId: group.id,
    resourceName: group.name,
    ARN: arn("ec2", region, account, `security-group/${group.id}`),
    availabilityZone: "Not Applicable",
    relationships: [relationship("AWS::EC2::VPC", group.vpcId, "Is contained in Vpc")],
    configuration: {
      description: group.name,
      groupName: group.name,
      groupId: group.id,
      ownerId: account,
      vpcId: group.vpcId,
      ipPermissions: group.rules.map((rule) => {
        const { cidr, from, to } = parseRule(rule);
        return {
          fromPort: from,
          toPort: to,
          ipProtocol: "tcp",
          ipv4Ranges: [{ cidrIp: cidr }],
          ipRanges: [cidr],
          ipv6Ranges: [],
          prefixListIds: [],
          userIdGroupPairs: [],
        };
      }),
      ipPermissionsEgress: [],
      tags: [],
    },
  }),
  "load-balancer": (balancer, region, account) => {
    const { name, type, scheme, vpcId } = balancer;
    const balancerARN = balancerArn(region, account, balancer);
    const dns = `${name}-1234567890.${region}.elb.amazonaws.com`;
    const classic = type === "classic";
    return {
      resourceType: `AWS::ElasticLoadBalancing${classic ? "" : "V2"}::LoadBalancer`,
      resourceId: classic ? name : balancerARN,
      resourceName: name,
      ARN: balancerARN,
      availabilityZone: MULTIPLE_ZONES,
      relationships: [relationship("AWS::EC2::VPC", vpcId, "Is contained in Vpc")],
      configuration: classic
        ? { loadBalancerName: name, dnsname: dns, scheme, vpcid: vpcId, instances: [] }
        : {
            loadBalancerArn: balancerARN,
            loadBalancerName: name,
            dNSName: dns,
            scheme,
            vpcId,
            type,
            state: { code: "active" },
            ipAddressType: "ipv4",
          },
    };
  },
};

/** The parts of an inventory rule such as `10.0.0.0/8:443` or `10.0.0.0/8:8000-8080`. */
export function parseRule(rule: string): { cidr: string; from: number; to: number } {
  const colon = rule.lastIndexOf(":");
  const [from, to = from] = rule.slice(colon + 1).split("-");
  return { cidr: rule.slice(0, colon), from: Number(from), to: Number(to) };
}

/** When and as what a change is recorded. */
export interface Capture {
  account: string;
  /** Ascending per resource; receivers order by it. */
  stateId: number;
  /** ISO 8601, UTC. */
  capturedAt: string;
}

/** Whether the sandbox's Config knows how to write of a kind. */
export function isRecordable(kind: ResourceKind): boolean {
  return Object.hasOwn(DESCRIBE, kind);
}

/** A ConfigurationItemChangeNotification and its Subject (Config developer guide, example SNS notifications). */
export function changeNotification(change: Change, { account, stateId, capturedAt }: Capture) {
  const before = change.before && describe(change.kind, change.before, change.region, account);
  const after = change.after && describe(change.kind, change.after, change.region, account);
  const subject = after ?? before;
  if (!subject) throw new Error("a change has a before or an after");
  const { configuration, relationships, ...identity } = subject;
  const verb = !before ? "Created" : after ? "Updated" : "Deleted";
  const configurationItem = {
    relatedEvents: [],
    relationships: after ? relationships : [],
    configuration: after ? configuration : null,
    supplementaryConfiguration: {},
    tags: {},
    configurationItemVersion: "1.3",
    configurationItemCaptureTime: capturedAt,
    configurationStateId: stateId,
    awsAccountId: account,
    configurationItemStatus: !before ? "ResourceDiscovered" : after ? "OK" : "ResourceDeleted",
    ...identity,
    awsRegion: change.region,
    configurationStateMd5Hash: "",
    resourceCreationTime: null,
  };
  const message = {
    configurationItemDiff: difference(before, after),
    configurationItem,
    notificationCreationTime: capturedAt,
    messageType: "ConfigurationItemChangeNotification",
    recordVersion: "1.3",
  };
  const { resourceType, resourceId } = identity;
  // SNS takes at most 100 characters, which a group's ARN alone can exceed.
  const title = `[AWS Config:${change.region}] ${resourceType} ${resourceId} ${verb} in Account ${account}`;
  return { subject: title.slice(0, 100), message };
}

/** The Config name of the changed resource's type. */
export function resourceTypeOf({ kind, before, after, region }: Change): string {
  const resource = after ?? before;
  return resource ? describe(kind, resource, region, "").resourceType : "";
}

function describe(kind: ResourceKind, resource: Resource<ResourceKind>, region: string, account: string) {
  const write = DESCRIBE[kind as Exclude<ResourceKind, PlainKind>] as (
    item: typeof resource,
    region: string,
    account: string,
  ) => Described;
  return write(resource, region, account);
}

interface PropertyChange {
  previousValue: unknown;
  updatedValue: unknown;
  changeType: "CREATE" | "UPDATE" | "DELETE";
}

function difference(before: Described | undefined, after: Described | undefined) {
  if (!before) return { changedProperties: {}, changeType: "CREATE" };
  if (!after) {
    const whole = { previousValue: before.configuration, updatedValue: null, changeType: "DELETE" };
    return { changedProperties: { Configuration: whole }, changeType: "DELETE" };
  }
  const changes = Object.keys(after.configuration).flatMap((name) =>
    propertyChanges(
      `Configuration.${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      before.configuration[name],
      after.configuration[name],
    ),
  );
  const related = propertyChanges("Relationships", before.relationships, after.relationships);
  return { changedProperties: Object.fromEntries([...changes, ...related]), changeType: "UPDATE" };
}

/** Scalars change as a whole; of lists, members that went and came are numbered in turn. */
function propertyChanges(
  path: string,
  previousValue: unknown,
  updatedValue: unknown,
): [string, PropertyChange][] {
  if (isDeepStrictEqual(previousValue, updatedValue)) return [];
  if (!Array.isArray(previousValue) || !Array.isArray(updatedValue)) {
    return [[path, { previousValue, updatedValue, changeType: "UPDATE" }]];
  }
  const without = (list: unknown[], other: unknown[]) =>
    list.filter((item) => !other.some((candidate) => isDeepStrictEqual(item, candidate)));
  const gone = without(previousValue, updatedValue).map(
    (item): PropertyChange => ({ previousValue: item, updatedValue: null, changeType: "DELETE" }),
  );
  const come = without(updatedValue, previousValue).map(
    (item): PropertyChange => ({ previousValue: null, updatedValue: item, changeType: "CREATE" }),
  );
  return [...gone, ...come].map((change, index) => [`${path}.${index}`, change]);
}
