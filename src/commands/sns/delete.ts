import { createSns, type Subscription } from "../../aws/sns.ts";
import { createSqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import type { CommandResult } from "../../output/output.ts";
import { outdated } from "../../sns/plan.ts";
import { parsePolicy, withoutOurStatements } from "../../sns/policy.ts";
import { DELIVERY_POLICY, deadLetterQueueName, isOurs, topicArn } from "../../sns/topology.ts";
import { applySteps } from "../apply-steps.ts";
import { type SnsOptions, wantedTopology } from "./options.ts";

export interface SnsDeleteOptions extends SnsOptions {
  dryRun?: boolean | undefined;
  exitCode?: boolean | undefined;
}

/** Subscriptions carry no tags: ours are known by the delivery policy that `create` gives them. */
const MARK = { DeliveryPolicy: JSON.stringify(DELIVERY_POLICY) };

interface Removal {
  resource: string;
  action: "delete" | "update" | "kept";
  reason?: string;
  apply?: () => Promise<unknown>;
}

/** `aec sns delete`: takes away only what is tagged as ours, and leaves what others use with the reason. */
export async function run(context: Context, options: SnsDeleteOptions): Promise<CommandResult> {
  const wanted = await wantedTopology(context, options);
  const arn = topicArn(wanted);
  const sns = createSns(context, wanted.region);
  const sqs = createSqs(context, wanted.region);
  const [topic, queue] = await Promise.all([sns.topic(arn), sqs.queue(deadLetterQueueName(wanted))]);
  const subscriptions = topic ? await sns.subscriptions(arn) : [];
  const ours = await Promise.all(subscriptions.map(isMadeByUs)).then((made) =>
    subscriptions.filter((_, i) => made[i]),
  );
  const others = subscriptions.filter((subscription) => !ours.includes(subscription));

  async function isMadeByUs({ arn: subscriptionArn, endpoint }: Subscription): Promise<boolean> {
    if (endpoint === wanted.endpoint) return true;
    if (wanted.endpoint !== undefined) return false;
    // A pending one cannot be asked. On a topic of ours it is what create left behind.
    if (subscriptionArn === undefined) return true;
    return outdated(MARK, await sns.subscriptionAttributes(subscriptionArn)).length === 0;
  }

  const plan: Removal[] = [];
  if (topic && isOurs(topic.tags, wanted.environment)) {
    for (const { arn: subscriptionArn, endpoint } of ours) {
      // A pending subscription has no ARN to unsubscribe; it goes with the topic, or by itself after two days.
      if (subscriptionArn) {
        plan.push({
          resource: `subscription ${endpoint}`,
          action: "delete",
          apply: () => sns.unsubscribe(subscriptionArn),
        });
      }
    }
    if (others.length === 0) {
      plan.push({ resource: `topic ${arn}`, action: "delete", apply: () => sns.deleteTopic(arn) });
    } else {
      const policy = JSON.stringify(withoutOurStatements(parsePolicy(topic.attributes.Policy)));
      plan.push({
        resource: `topic ${arn}`,
        action: "update",
        reason: `kept without our policy statements: ${others.map(({ endpoint }) => endpoint).join(", ")} is subscribed too`,
        apply: () => sns.setTopicAttribute(arn, "Policy", policy),
      });
    }
  } else if (topic) {
    plan.push({ resource: `topic ${arn}`, action: "kept", reason: "not tagged as aec's" });
  }
  if (queue && isOurs(queue.tags, wanted.environment)) {
    const count = (name: string) => Number(queue.attributes[name] ?? 0);
    const waiting = count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible");
    plan.push(
      waiting > 0
        ? {
            resource: `queue ${queue.arn}`,
            action: "kept",
            reason: `${waiting} undelivered messages are in it`,
          }
        : { resource: `queue ${queue.arn}`, action: "delete", apply: () => sqs.deleteQueue(queue.url) },
    );
  } else if (queue) {
    plan.push({ resource: `queue ${queue.arn}`, action: "kept", reason: "not tagged as aec's" });
  }

  const lines = plan.map(
    ({ resource, action, reason }) => `${action} ${resource}${reason ? ` (${reason})` : ""}`,
  );
  const data = {
    region: wanted.region,
    topicArn: arn,
    changes: plan.map(({ resource, action, reason }) => ({ resource, action, ...(reason && { reason }) })),
    dryRun: Boolean(options.dryRun),
  };
  const steps = plan.flatMap(({ apply }) => (apply ? [apply] : []));
  if (steps.length === 0) return { data, text: () => [...lines, "Nothing to delete."].join("\n") };
  const question = `Delete these in ${wanted.accountId}, ${wanted.region}?`;
  return applySteps(context, { data, lines, question, steps }, options);
}
