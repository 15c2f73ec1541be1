import { createConfigService } from "../aws/config-service.ts";
import type { COUNTS } from "../aws/counts.ts";
import type { allServices } from "../aws/ecs.ts";
import { isMissing } from "../aws/errors.ts";
import { createEventBridge } from "../aws/eventbridge.ts";
import type { Place } from "../aws/places.ts";
import { createSns } from "../aws/sns.ts";
import { createSqs } from "../aws/sqs.ts";
import type { Context } from "../context.ts";
import { ExpectedError } from "../errors.ts";
import { awsFacts } from "../refresh/aws-facts.ts";
import { ruleName } from "../rules/rules.ts";
import { deadLetterQueueName, topicArn } from "../sns/topology.ts";
import { PERMISSIONS } from "./permissions.ts";

export interface CheckedAction {
  action: string;
  /** `untried`: trying would change something, or what it needs is not there. */
  result: "allowed" | "denied" | "untried";
  reason: string;
}

/** Tries the reading calls of the commands in a place, changes nothing, and says which actions are denied. */
export async function checkPermissions(
  context: Context,
  place: Place,
  commands: readonly string[],
  topicName: string,
): Promise<CheckedAction[]> {
  const arn = topicArn({ ...place, topicName });
  const sns = createSns(context, place);
  const sqs = createSqs(context, place);
  const config = createConfigService(context, place);
  const bridge = createEventBridge(context, place);
  const queue = () => sqs.queue(deadLetterQueueName({ topicName }));
  const rule = () => bridge.rule(ruleName(topicName, "autoscaling"));
  const topic = () => sns.topic(arn);
  // Their clients are loaded where a command is checked that needs them.
  const ecs = () => import("../aws/ecs.ts");
  const count = (kind: keyof typeof COUNTS) => async () =>
    (await import("../aws/counts.ts")).COUNTS[kind](context, place);
  let listed: ReturnType<typeof allServices> | undefined;
  const services = async () => {
    listed ??= ecs().then((module) => module.allServices(context, place));
    return (await listed).at(0);
  };
  // AWS looks at the permission before it looks for the resource: a missing one is an answer as well.
  const probes: Readonly<Record<string, () => Promise<unknown>>> = {
    "sns:GetTopicAttributes": topic,
    "sns:ListTagsForResource": topic,
    "sns:ListSubscriptionsByTopic": () => sns.subscriptions(arn),
    "sns:GetSubscriptionAttributes": async () => {
      const confirmed = (await sns.subscriptions(arn)).find((subscription) => subscription.arn);
      return confirmed?.arn && sns.subscriptionAttributes(confirmed.arn);
    },
    "sqs:GetQueueUrl": queue,
    "sqs:GetQueueAttributes": queue,
    "sqs:ListQueueTags": queue,
    "config:DescribeConfigurationRecorders": () => config.recorder(),
    "config:DescribeConfigurationRecorderStatus": () => config.recording(),
    "config:DescribeDeliveryChannels": () => config.channel(),
    "events:DescribeRule": rule,
    "events:ListTagsForResource": rule,
    "events:ListTargetsByRule": rule,
    "autoscaling:DescribeAutoScalingGroups": () => awsFacts(context, place, "server-group", ["none"]),
    "ec2:DescribeSecurityGroups": () => awsFacts(context, place, "security-group"),
    "elasticloadbalancing:DescribeLoadBalancers": () => awsFacts(context, place, "load-balancer"),
    "autoscaling:DescribeLaunchConfigurations": count("launchConfigurations"),
    "autoscaling:DescribePolicies": count("scalingPolicies"),
    "ec2:DescribeInstances": count("instances"),
    "ec2:DescribeLaunchTemplates": count("launchTemplates"),
    "elasticloadbalancing:DescribeTargetGroups": count("targetGroups"),
    "ecs:ListClusters": services,
    "ecs:ListServices": services,
    "ecs:DescribeServices": services,
    "application-autoscaling:DescribeScalableTargets": async () =>
      (await ecs()).scalableTargets(context, place),
  };
  const actions = new Set(
    commands.flatMap((command) => (PERMISSIONS[command] ?? []).flatMap(({ actions: list }) => list)),
  );
  return Promise.all(
    [...actions].toSorted().map(async (action): Promise<CheckedAction> => {
      const probe = probes[action];
      if (!probe) return { action, result: "untried", reason: "not a call that only reads" };
      try {
        const found = await probe();
        return found === undefined && DEPENDENT.has(action)
          ? { action, result: "untried", reason: "what it reads is not there yet" }
          : { action, result: "allowed", reason: "" };
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error;
        if (isMissing(error, /NotFound/)) return { action, result: "allowed", reason: "" };
        if (error.code !== "aws-denied") return { action, result: "untried", reason: error.message };
        return error.message.endsWith(` ${action}`)
          ? { action, result: "denied", reason: error.detail ?? "" }
          : { action, result: "untried", reason: error.message };
      }
    }),
  );
}

/** Calls that are made only for what was found. */
const DEPENDENT = new Set([
  "sns:GetSubscriptionAttributes",
  "sqs:GetQueueAttributes",
  "sqs:ListQueueTags",
  "events:ListTagsForResource",
  "events:ListTargetsByRule",
  "ecs:ListServices",
  "ecs:DescribeServices",
]);
