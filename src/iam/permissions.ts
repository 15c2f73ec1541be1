/** Placeholders of a resource, filled in by `policyOf`. */
type Scope = "topic" | "queue" | "any" | "config-role";

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

/** What each command may call; sts:GetCallerIdentity needs no permission. */
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
    { actions: ["config:DescribeDeliveryChannels"], scope: "any" },
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
  serve: [{ actions: ["sns:ConfirmSubscription"], scope: "topic" }],
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
}

/** The least that the commands need, as one IAM policy document. */
export function policyOf(commands: readonly string[], scope: PolicyScope) {
  const needed = commands.flatMap((command) => PERMISSIONS[command] ?? []);
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
    Statement: (["topic", "queue", "config-role", "any"] as const).flatMap(statement),
  };
}

const SIDS: Record<Scope, string> = {
  topic: "aecTopic",
  queue: "aecDeadLetterQueue",
  "config-role": "aecConfigRole",
  any: "aecWithoutResource",
};

function resourcesOf(kind: Scope, { partition, accountId, regions, topicName }: PolicyScope): string[] {
  switch (kind) {
    case "topic":
      return regions.map((region) => `arn:${partition}:sns:${region}:${accountId}:${topicName}`);
    case "queue":
      return regions.map((region) => `arn:${partition}:sqs:${region}:${accountId}:${topicName}-dlq`);
    case "config-role":
      return [
        `arn:${partition}:iam::${accountId}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`,
      ];
    case "any":
      return ["*"];
  }
}
