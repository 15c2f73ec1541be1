import type { ResourceType } from "../agents/kinds.ts";

/** Where a value stands: a path of keys, or the first group of a pattern over it. */
export type At = string | { at: string; match: RegExp };

/** A case of a row that asks for nothing. */
interface Skip {
  at: string;
  match: RegExp;
  because: string;
}

/** What one kind of event means: what it refreshes and how that is named, or why it asks for nothing. */
export interface Row {
  /** Who tells: AWS Config, the service itself by EventBridge, or CloudTrail by EventBridge. */
  source: "config" | "service" | "cloudtrail";
  /** AWS Config's resource type, EventBridge's detail-type, or CloudTrail's eventSource. */
  event: string;
  /** Of services: the `source` of their events. */
  from?: string;
  /** CloudTrail only: the calls that change what Spinnaker caches. */
  calls?: readonly string[];
  /** AWS's own name of the resource type. */
  resourceType: string;
  /** The kind that is refreshed. */
  kind?: ResourceType;
  /** Of rows without a kind: why nothing is refreshed. */
  nothing?: string;
  /** First found is the name; `*` stands for all of the kind. Paths start at Config's item, the envelope, or CloudTrail's detail. */
  name: readonly At[];
  skips?: readonly Skip[];
  /** What the event's own state tells of the resource. */
  state?: { at: string; there: RegExp; gone?: RegExp };
  /** `aec recorder enable` has AWS Config record it; the others come faster and cheaper from EventBridge. */
  recorded?: true;
  /** Items that only tell of changed relationships concern nothing that Spinnaker caches. */
  relationshipsMeanNothing?: true;
  /** It is a part of what is refreshed: that it ends or begins says nothing of the whole. */
  part?: true;
  /** AWS describes it for a while after its end. */
  lingers?: true;
}

const GROUP = "AWS::AutoScaling::AutoScalingGroup";
const BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const SECURITY_GROUP = "AWS::EC2::SecurityGroup";
const ECS_SERVICE = "AWS::ECS::Service";

const IN_GROUP = { at: "ARN", match: /autoScalingGroupName\/([^:/]+)/ };
const OF_GROUP: readonly At[] = ["configuration.autoScalingGroupName", IN_GROUP];
/** `…:loadbalancer/app/NAME/ID`, `…:listener/app/NAME/ID/ID` and `…:listener-rule/app/NAME/…`. */
const IN_BALANCER = /:(?:loadbalancer|listener|listener-rule)\/(?:app|net|gwy)\/([^/]+)\//;
/** `…:targetgroup/NAME/ID`. */
const IN_TARGET_GROUP = /:targetgroup\/([^/]+)\//;
/** `service/NAME` and `service/CLUSTER/NAME`. */
const LAST_PART = /([^/]+)$/;
/** A function is named, or given as an ARN with or without a version. */
const FUNCTION_NAME = /^(?:.*:function:)?([^:]+)/;

const config = (event: string, kind: ResourceType, name: readonly At[], more: Partial<Row> = {}): Row => ({
  source: "config",
  event,
  resourceType: event,
  kind,
  name,
  ...more,
});
const unused = (event: string, nothing: string): Row => ({
  source: "config",
  event,
  resourceType: event,
  nothing,
  name: [],
});
const service = (from: string, event: string, row: Omit<Row, "source" | "event" | "from">): Row => ({
  source: "service",
  from,
  event,
  ...row,
});
const cloudtrail = (
  event: string,
  resourceType: string,
  kind: ResourceType,
  name: readonly At[],
  calls: readonly string[],
): Row => ({ source: "cloudtrail", event, resourceType, kind, name, calls });

const scaling = (event: string, more: Partial<Row> = {}) =>
  service("aws.autoscaling", event, {
    resourceType: GROUP,
    kind: "server-group",
    name: ["detail.AutoScalingGroupName"],
    ...more,
  });
const ID_ONLY: readonly At[] = ["resourceId"];
const AUTO_SCALING = "autoscaling.amazonaws.com";
const EC2 = "ec2.amazonaws.com";
const BALANCING = "elasticloadbalancing.amazonaws.com";

/**
 * What `aec serve` does about each kind of event (AWS Config developer guide; event references of EC2, Auto Scaling,
 * ECS and CloudFormation; CloudTrail record contents). What is in no row asks for nothing.
 */
export const TABLE: readonly Row[] = [
  config(GROUP, "server-group", ["resourceName", "configuration.autoScalingGroupName", IN_GROUP], {
    recorded: true,
  }),
  config("AWS::AutoScaling::ScalingPolicy", "server-group", OF_GROUP, { part: true }),
  config("AWS::AutoScaling::ScheduledAction", "server-group", OF_GROUP, { part: true }),
  config("AWS::AutoScaling::WarmPool", "server-group", OF_GROUP, { part: true }),
  unused(
    "AWS::AutoScaling::LaunchConfiguration",
    "launch configurations never change; those who use them are told of",
  ),
  config("AWS::EC2::LaunchTemplate", "launch-template", ["configuration.Id", "resourceId"], {
    recorded: true,
  }),
  config("AWS::EC2::Instance", "instance", ID_ONLY, { lingers: true }),
  config(SECURITY_GROUP, "security-group", ID_ONLY, { recorded: true, relationshipsMeanNothing: true }),
  config("AWS::EC2::EIP", "elastic-ip", ["configuration.publicIp", "resourceName", "resourceId"]),
  config("AWS::EC2::Subnet", "subnet", ID_ONLY, { relationshipsMeanNothing: true }),
  config("AWS::EC2::VPC", "vpc", ID_ONLY, { relationshipsMeanNothing: true }),
  unused("AWS::EC2::NetworkInterface", "Spinnaker does not cache network interfaces"),
  unused("AWS::EC2::Volume", "Spinnaker does not cache volumes"),
  unused("AWS::EC2::RouteTable", "Spinnaker does not cache route tables"),
  config(
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "load-balancer",
    ["resourceName", "configuration.loadBalancerName", "resourceId"],
    { recorded: true },
  ),
  config(
    BALANCER,
    "load-balancer",
    [{ at: "ARN", match: IN_BALANCER }, { at: "resourceId", match: IN_BALANCER }, "resourceName"],
    { recorded: true },
  ),
  config(
    "AWS::ElasticLoadBalancingV2::Listener",
    "load-balancer",
    [
      { at: "configuration.LoadBalancerArn", match: IN_BALANCER },
      { at: "ARN", match: IN_BALANCER },
      { at: "resourceId", match: IN_BALANCER },
    ],
    { recorded: true, part: true },
  ),
  config(
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "target-group",
    [{ at: "ARN", match: IN_TARGET_GROUP }, { at: "resourceId", match: IN_TARGET_GROUP }, "resourceName"],
    { recorded: true },
  ),
  config("AWS::CloudFormation::Stack", "stack", ["ARN", "resourceId"], { recorded: true }),
  config("AWS::Lambda::Function", "function", ["resourceName", "configuration.functionName", "resourceId"], {
    recorded: true,
  }),
  config(ECS_SERVICE, "ecs-service", ["configuration.ServiceName", { at: "ARN", match: LAST_PART }], {
    recorded: true,
  }),
  config(
    "AWS::ECS::TaskSet",
    "ecs-service",
    [
      { at: "configuration.Service", match: LAST_PART },
      { at: "ARN", match: /:task-set\/[^/]+\/([^/]+)\// },
    ],
    { part: true },
  ),
  unused("AWS::ECS::TaskDefinition", "a task definition is cached with the services that use it"),
  config("AWS::ECS::Cluster", "ecs-service", ["*"], { part: true }),
  unused("AWS::ECS::CapacityProvider", "Spinnaker does not cache capacity providers"),
  config("AWS::IAM::Role", "iam-role", ["resourceName"]),
  config("AWS::ACM::Certificate", "certificate", ["ARN", "resourceId"]),

  scaling("EC2 Instance Launch Successful", { state: { at: "detail-type", there: /Launch/ } }),
  scaling("EC2 Instance Terminate Successful"),
  scaling("EC2 Instance-launch Lifecycle Action"),
  scaling("EC2 Instance-terminate Lifecycle Action"),
  ...["Launch", "Terminate"].map((what) =>
    service("aws.autoscaling", `EC2 Instance ${what} Unsuccessful`, {
      resourceType: GROUP,
      nothing: "an attempt that failed changes nothing",
      name: [],
    }),
  ),
  ...["Started", "Succeeded", "Failed", "Cancelled", "Checkpoint Reached"].map((what) =>
    service("aws.autoscaling", `EC2 Auto Scaling Instance Refresh ${what}`, {
      resourceType: GROUP,
      nothing: "the instances of an instance refresh are told of one by one",
      name: [],
    }),
  ),
  service("aws.ec2", "EC2 Instance State-change Notification", {
    resourceType: "AWS::EC2::Instance",
    kind: "instance",
    name: ["detail.instance-id"],
    // What has ended is still described for an hour.
    state: { at: "detail.state", there: /^running$/ },
  }),
  service("aws.ec2", "EC2 AMI State Change", {
    resourceType: "AWS::EC2::Image",
    kind: "image",
    name: ["detail.ImageId"],
    skips: [{ at: "detail.State", match: /^pending$/, because: "an image that is not there yet" }],
    state: { at: "detail.State", there: /^available$/ },
  }),
  service("aws.ecs", "ECS Service Action", {
    resourceType: ECS_SERVICE,
    kind: "ecs-service",
    name: [{ at: "resources.0", match: LAST_PART }],
    skips: [
      {
        // Every service says so every six hours.
        at: "detail.eventName",
        match: /^SERVICE_STEADY_STATE$/,
        because: "a steady state: nothing has changed",
      },
    ],
  }),
  service("aws.ecs", "ECS Deployment State Change", {
    resourceType: ECS_SERVICE,
    kind: "ecs-service",
    name: [{ at: "resources.0", match: LAST_PART }],
  }),
  service("aws.ecs", "ECS Task State Change", {
    resourceType: ECS_SERVICE,
    kind: "ecs-service",
    name: [{ at: "detail.group", match: /^service:(.+)$/ }],
    skips: [{ at: "detail.group", match: /^(?!service:)/, because: "a task of no service" }],
  }),
  service("aws.ecs", "ECS Container Instance State Change", {
    resourceType: "AWS::ECS::ContainerInstance",
    nothing: "an idle agent says so several times an hour; what runs on it is told of by tasks",
    name: [],
  }),
  service("aws.cloudformation", "CloudFormation Stack Status Change", {
    resourceType: "AWS::CloudFormation::Stack",
    kind: "stack",
    name: ["detail.stack-id"],
    state: { at: "detail.status-details.status", there: /^(?!DELETE)/, gone: /^DELETE_COMPLETE$/ },
  }),

  cloudtrail(
    AUTO_SCALING,
    GROUP,
    "server-group",
    ["requestParameters.autoScalingGroupName", { at: "requestParameters.policyName", match: IN_GROUP.match }],
    [
      "CreateAutoScalingGroup",
      "UpdateAutoScalingGroup",
      "DeleteAutoScalingGroup",
      "SetDesiredCapacity",
      "SuspendProcesses",
      "ResumeProcesses",
      "AttachInstances",
      "DetachInstances",
      "EnterStandby",
      "ExitStandby",
      "AttachLoadBalancers",
      "DetachLoadBalancers",
      "AttachLoadBalancerTargetGroups",
      "DetachLoadBalancerTargetGroups",
      "PutScalingPolicy",
      "DeletePolicy",
      "PutScheduledUpdateGroupAction",
      "DeleteScheduledAction",
      "BatchPutScheduledUpdateGroupAction",
      "BatchDeleteScheduledAction",
      "AttachTrafficSources",
      "DetachTrafficSources",
    ],
  ),
  cloudtrail(
    EC2,
    SECURITY_GROUP,
    "security-group",
    [
      "requestParameters.groupId",
      "responseElements.groupId",
      "requestParameters.ModifySecurityGroupRulesRequest.GroupId",
      "requestParameters.groupName",
    ],
    [
      "CreateSecurityGroup",
      "DeleteSecurityGroup",
      "AuthorizeSecurityGroupIngress",
      "AuthorizeSecurityGroupEgress",
      "RevokeSecurityGroupIngress",
      "RevokeSecurityGroupEgress",
      "ModifySecurityGroupRules",
    ],
  ),
  cloudtrail(
    EC2,
    "AWS::EC2::LaunchTemplate",
    "launch-template",
    [
      "responseElements.CreateLaunchTemplateResponse.launchTemplate.launchTemplateId",
      "requestParameters.CreateLaunchTemplateVersionRequest.LaunchTemplateId",
      "*",
    ],
    ["CreateLaunchTemplate", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DeleteLaunchTemplate"],
  ),
  cloudtrail(
    EC2,
    "AWS::EC2::KeyPair",
    "key-pair",
    ["requestParameters.keyName", "*"],
    ["CreateKeyPair", "ImportKeyPair", "DeleteKeyPair"],
  ),
  cloudtrail(
    EC2,
    "AWS::EC2::Image",
    "image",
    ["responseElements.imageId", "requestParameters.imageId"],
    ["RegisterImage", "DeregisterImage"],
  ),
  cloudtrail(
    EC2,
    "AWS::EC2::EIP",
    "elastic-ip",
    ["responseElements.publicIp", "requestParameters.publicIp", "*"],
    ["AllocateAddress", "ReleaseAddress", "AssociateAddress", "DisassociateAddress"],
  ),
  cloudtrail(
    EC2,
    "AWS::EC2::Subnet",
    "subnet",
    ["responseElements.subnet.subnetId", "requestParameters.subnetId"],
    ["CreateSubnet", "DeleteSubnet"],
  ),
  cloudtrail(
    EC2,
    "AWS::EC2::VPC",
    "vpc",
    ["responseElements.vpc.vpcId", "requestParameters.vpcId"],
    ["CreateVpc", "DeleteVpc"],
  ),
  cloudtrail(
    BALANCING,
    BALANCER,
    "load-balancer",
    [
      "requestParameters.loadBalancerName",
      "requestParameters.name",
      { at: "requestParameters.loadBalancerArn", match: IN_BALANCER },
      { at: "requestParameters.listenerArn", match: IN_BALANCER },
      { at: "requestParameters.ruleArn", match: IN_BALANCER },
    ],
    [
      "CreateLoadBalancer",
      "DeleteLoadBalancer",
      "ModifyLoadBalancerAttributes",
      "SetSecurityGroups",
      "SetSubnets",
      "CreateListener",
      "ModifyListener",
      "DeleteListener",
      "CreateRule",
      "ModifyRule",
      "DeleteRule",
      "SetRulePriorities",
      "AddListenerCertificates",
      "RemoveListenerCertificates",
      "CreateLoadBalancerListeners",
      "DeleteLoadBalancerListeners",
      "ApplySecurityGroupsToLoadBalancer",
      "AttachLoadBalancerToSubnets",
      "RegisterInstancesWithLoadBalancer",
      "DeregisterInstancesFromLoadBalancer",
    ],
  ),
  cloudtrail(
    BALANCING,
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "target-group",
    ["requestParameters.name", { at: "requestParameters.targetGroupArn", match: IN_TARGET_GROUP }],
    ["CreateTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"],
  ),
  cloudtrail(
    "ecs.amazonaws.com",
    ECS_SERVICE,
    "ecs-service",
    ["requestParameters.serviceName", { at: "requestParameters.service", match: LAST_PART }],
    ["CreateService", "UpdateService", "DeleteService", "CreateTaskSet", "DeleteTaskSet"],
  ),
  cloudtrail(
    "lambda.amazonaws.com",
    "AWS::Lambda::Function",
    "function",
    [{ at: "requestParameters.functionName", match: FUNCTION_NAME }],
    [
      "CreateFunction20150331",
      "DeleteFunction20150331",
      "UpdateFunctionCode20150331v2",
      "UpdateFunctionConfiguration20150331v2",
      "PublishVersion20150331",
      "CreateAlias20150331",
      "UpdateAlias20150331",
      "DeleteAlias20150331",
    ],
  ),
  cloudtrail(
    "iam.amazonaws.com",
    "AWS::IAM::Role",
    "iam-role",
    ["requestParameters.roleName"],
    [
      "CreateRole",
      "DeleteRole",
      "UpdateRole",
      "UpdateAssumeRolePolicy",
      "AttachRolePolicy",
      "DetachRolePolicy",
      "PutRolePolicy",
      "DeleteRolePolicy",
      "PutRolePermissionsBoundary",
      "DeleteRolePermissionsBoundary",
    ],
  ),
];

/** The row of AWS Config's resource type. */
export const configRow = (resourceType: string): Row | undefined => BY_KEY.get(`config/${resourceType}`);
/** The row of an event that a service sends by itself. */
export const serviceRow = (from: string, detailType: string): Row | undefined =>
  BY_KEY.get(`service/${from}/${detailType}`);
/** The row of an API call, by CloudTrail's eventSource and eventName. */
export const callRow = (eventSource: string, eventName: string): Row | undefined =>
  BY_KEY.get(`cloudtrail/${eventSource}/${eventName}`);

const BY_KEY: ReadonlyMap<string, Row> = new Map(
  TABLE.flatMap((row) => keysOf(row).map((key): [string, Row] => [key, row])),
);

function keysOf({ source, from, event, calls }: Row): string[] {
  if (source === "cloudtrail") return (calls ?? []).map((call) => `cloudtrail/${event}/${call}`);
  return [from === undefined ? `${source}/${event}` : `${source}/${from}/${event}`];
}

/** Types that AWS Config may tell of and `aec serve` refreshes by. */
export const CONFIG_TYPES: readonly string[] = TABLE.flatMap(({ source, kind, event }) =>
  source === "config" && kind ? [event] : [],
);
/** Types that `aec recorder enable` has recorded. */
export const RECORDED_TYPES: readonly string[] = TABLE.flatMap(({ recorded, event }) =>
  recorded ? [event] : [],
);
