import { deadLetterQueueName, eventQueueName, topicArn } from "../sns/topology.ts";

/** Placeholders of a resource, filled in by `policyOf`. */
type Scope = "topic" | "queue" | "rule" | "bus" | "role" | "any" | "config-role";

interface Permission {
  actions: readonly string[];
  scope: Scope;
}

const READ_TOPIC: Permission = {
  actions: ["sns:GetTopicAttributes", "sns:ListTagsForResource", "sns:ListSubscriptionsByTopic"],
  scope: "topic",
};
/** Subscriptions are no resource of their own to IAM. */
const READ_SUBSCRIPTION: Permission = { actions: ["sns:GetSubscriptionAttributes"], scope: "any" };
const READ_QUEUE: Permission = {
  actions: ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListQueueTags"],
  scope: "queue",
};
const READ_CONFIG: Permission = {
  actions: [
    "config:DescribeConfigurationRecorders",
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeDeliveryChannels",
  ],
  scope: "any",
};
const READ_RULES: Permission = {
  actions: ["events:DescribeRule", "events:ListTargetsByRule", "events:ListTagsForResource"],
  scope: "rule",
};
/** Everything that is only looked at. */
const LOOKING: readonly Permission[] = [
  READ_TOPIC,
  READ_SUBSCRIPTION,
  READ_QUEUE,
  READ_CONFIG,
  { actions: ["config:DescribeDeliveryChannelStatus"], scope: "any" },
  READ_RULES,
];
/** Accounts of `aec.yml` that are not the caller's are entered by their role. */
const ENTER: Permission = { actions: ["sts:AssumeRole"], scope: "role" };

/** What each command may call; sts:GetCallerIdentity needs no permission, and with roles all need sts:AssumeRole. */
export const PERMISSIONS: Readonly<Record<string, readonly Permission[]>> = {
  "sns create": [
    READ_TOPIC,
    READ_SUBSCRIPTION,
    READ_QUEUE,
    // Tags given at creation are checked as tagging.
    {
      actions: ["sns:CreateTopic", "sns:TagResource", "sns:SetTopicAttributes", "sns:Subscribe"],
      scope: "topic",
    },
    { actions: ["sns:SetSubscriptionAttributes"], scope: "any" },
    { actions: ["sqs:CreateQueue", "sqs:TagQueue", "sqs:SetQueueAttributes"], scope: "queue" },
  ],
  "sns status": [
    READ_TOPIC,
    READ_SUBSCRIPTION,
    READ_QUEUE,
    {
      actions: ["config:DescribeDeliveryChannels", "config:DescribeDeliveryChannelStatus"],
      scope: "any",
    },
  ],
  "sns test": [{ actions: ["sns:ListSubscriptionsByTopic", "sns:Publish"], scope: "topic" }],
  "sns redrive": [
    READ_QUEUE,
    { actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], scope: "queue" },
  ],
  "sns delete": [
    READ_TOPIC,
    READ_SUBSCRIPTION,
    READ_QUEUE,
    { actions: ["sns:DeleteTopic", "sns:SetTopicAttributes"], scope: "topic" },
    { actions: ["sns:Unsubscribe"], scope: "any" },
    { actions: ["sqs:DeleteQueue"], scope: "queue" },
  ],
  "recorder enable": [
    READ_CONFIG,
    { actions: ["sns:GetTopicAttributes", "sns:ListTagsForResource"], scope: "topic" },
    {
      actions: [
        "config:PutConfigurationRecorder",
        "config:PutDeliveryChannel",
        "config:StartConfigurationRecorder",
      ],
      scope: "any",
    },
    { actions: ["iam:PassRole", "iam:CreateServiceLinkedRole"], scope: "config-role" },
  ],
  "recorder status": [READ_CONFIG],
  "recorder disable": [
    READ_CONFIG,
    {
      actions: [
        "config:PutConfigurationRecorder",
        "config:PutDeliveryChannel",
        "config:StopConfigurationRecorder",
        "config:DeleteDeliveryChannel",
        "config:DeleteConfigurationRecorder",
      ],
      scope: "any",
    },
    { actions: ["iam:PassRole"], scope: "config-role" },
  ],
  "events enable": [
    READ_RULES,
    { actions: ["sns:GetTopicAttributes", "sns:ListTagsForResource"], scope: "topic" },
    { actions: ["events:PutRule", "events:TagResource", "events:PutTargets"], scope: "rule" },
  ],
  "events status": [READ_RULES],
  "events disable": [READ_RULES, { actions: ["events:RemoveTargets", "events:DeleteRule"], scope: "rule" }],
  refresh: [
    {
      actions: [
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:DescribeSecurityGroups",
        "elasticloadbalancing:DescribeLoadBalancers",
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:DescribeServices",
        "application-autoscaling:DescribeScalableTargets",
      ],
      scope: "any",
    },
  ],
  // With --aws alone.
  budget: [
    {
      actions: [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribePolicies",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetGroups",
      ],
      scope: "any",
    },
  ],
  doctor: LOOKING,
  status: [
    READ_TOPIC,
    READ_QUEUE,
    READ_RULES,
    { actions: ["config:DescribeDeliveryChannels"], scope: "any" },
  ],
  serve: [
    // Publishing is for heartbeats, and the queue that is looked at keeps what could not be delivered.
    { actions: ["sns:ConfirmSubscription", "sns:Publish"], scope: "topic" },
    { actions: ["events:PutEvents"], scope: "bus" },
    READ_QUEUE,
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
      scope: "queue",
    },
  ],
};

export interface PolicyStatement {
  Sid: string;
  Effect: "Allow";
  Action: string[];
  Resource: string[];
}

/** What a policy is for; account and partition are `*` and `aws` where they are not known. */
export interface PolicyScope {
  partition: string;
  accountId: string;
  regions: readonly string[];
  topicName: string;
  /** ARNs of roles in other accounts; where there are any, the caller needs no more than to enter them. */
  roles: readonly string[];
}

/** The least that the commands need, as one IAM policy document. */
export function policyOf(commands: readonly string[], scope: PolicyScope) {
  const needed = commands.flatMap((command) => PERMISSIONS[command] ?? []);
  if (scope.roles.length > 0) needed.push(ENTER);
  const statement = (kind: Scope): PolicyStatement[] => {
    const actions = new Set(
      needed.filter((permission) => permission.scope === kind).flatMap(({ actions: list }) => list),
    );
    if (actions.size === 0) return [];
    return [
      {
        Sid: SIDS[kind],
        Effect: "Allow",
        Action: [...actions].toSorted(),
        Resource: resourcesOf(kind, scope),
      },
    ];
  };
  return {
    Version: "2012-10-17",
    Statement: (["topic", "queue", "rule", "bus", "config-role", "role", "any"] as const).flatMap(statement),
  };
}

const SIDS: Record<Scope, string> = {
  topic: "aecTopic",
  queue: "aecQueues",
  rule: "aecRules",
  bus: "aecHeartbeat",
  role: "aecAccounts",
  "config-role": "aecConfigRole",
  any: "aecWithoutResource",
};

function resourcesOf(
  kind: Scope,
  { partition, accountId, regions, topicName, roles }: PolicyScope,
): string[] {
  switch (kind) {
    case "topic":
      return regions.map((region) => topicArn({ partition, region, accountId, topicName }));
    case "queue":
      return regions.flatMap((region) =>
        [deadLetterQueueName({ topicName }), eventQueueName({ topicName })].map(
          (name) => `arn:${partition}:sqs:${region}:${accountId}:${name}`,
        ),
      );
    case "rule":
      return regions.map((region) => `arn:${partition}:events:${region}:${accountId}:rule/${topicName}-*`);
    case "bus":
      return regions.map((region) => `arn:${partition}:events:${region}:${accountId}:event-bus/default`);
    case "role":
      return [...roles];
    case "config-role":
      return [
        `arn:${partition}:iam::${accountId}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`,
      ];
    case "any":
      return ["*"];
  }
}

/** The trust policy of a role that the caller enters: Spinnaker's managed role, or one for `aec` alone. */
export function trustPolicy(caller: string, externalId: string | undefined) {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "aecMayEnter",
        Effect: "Allow",
        Principal: { AWS: caller },
        Action: "sts:AssumeRole",
        ...(externalId !== undefined && { Condition: { StringEquals: { "sts:ExternalId": externalId } } }),
      },
    ],
  };
}
