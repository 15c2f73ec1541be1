import { type Place, placesOf } from "../../aws/places.ts";
import { createSns, type Sns, type Subscription } from "../../aws/sns.ts";
import { createSqs, type Queue, type Sqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import type { CommandResult } from "../../output/output.ts";
import { outdated } from "../../sns/attributes.ts";
import { parsePolicy, withoutOurStatements } from "../../sns/policy.ts";
import {
  DELIVERY_POLICY,
  deadLetterQueueName,
  eventQueueArn,
  eventQueueName,
  isOurs,
  topicArn,
  type WantedTopology,
} from "../../sns/topology.ts";
import { describeChange, describeDone } from "../change-lines.ts";
import { type ApplyOptions, applyInPlaces, type Proposal } from "../in-places.ts";
import { type SnsOptions, wantedTopology } from "./options.ts";

export interface SnsDeleteOptions extends SnsOptions, ApplyOptions {}

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
  const wantedIn = wantedTopology(context, options);
  const propose = (place: Place) =>
    removal(wantedIn(place), createSns(context, place), createSqs(context, place));
  return applyInPlaces(context, await placesOf(context, options), propose, options);
}

async function removal(wanted: WantedTopology, sns: Sns, sqs: Sqs): Promise<Proposal> {
  const arn = topicArn(wanted);
  const [topic, ...queues] = await Promise.all([
    sns.topic(arn),
    sqs.queue(eventQueueName(wanted)),
    sqs.queue(deadLetterQueueName(wanted)),
  ]);
  const subscriptions = topic ? await sns.subscriptions(arn) : [];
  const made = await Promise.all(subscriptions.map((subscription) => isMadeByUs(subscription, wanted, sns)));
  const ours = subscriptions.filter((_, index) => made[index]);
  const others = subscriptions.filter((_, index) => !made[index]);

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
      const pending = ours.flatMap(({ arn: known, endpoint }) => (known ? [] : [endpoint]));
      plan.push({
        resource: `topic ${arn}`,
        action: "delete",
        ...(pending.length > 0 && { reason: `with the pending subscription of ${pending.join(", ")}` }),
        apply: () => sns.deleteTopic(arn),
      });
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
  plan.push(...queues.flatMap((queue) => (queue ? [queueRemoval(queue, wanted, sqs)] : [])));

  const lines = plan.map(({ resource, action, reason }) =>
    describeChange({ resource, action, detail: reason }),
  );
  const steps = plan.flatMap(({ apply }) => (apply ? [apply] : []));
  const data = {
    region: wanted.region,
    topicArn: arn,
    changes: plan.map(({ resource, action, reason }) => ({ resource, action, ...(reason && { reason }) })),
    dryRun: false,
  };
  return {
    data,
    lines,
    differs: steps.length > 0,
    apply: async () => {
      for (const step of steps) await step();
      const done = lines.map(describeDone);
      return {
        data,
        text: () => [...done, ...(steps.length === 0 ? ["Nothing to delete."] : [])].join("\n"),
      };
    },
  };
}

async function isMadeByUs(
  { arn, endpoint }: Subscription,
  wanted: WantedTopology,
  sns: Sns,
): Promise<boolean> {
  if (endpoint === wanted.endpoint || endpoint === eventQueueArn(wanted)) return true;
  if (wanted.endpoint !== undefined) return false;
  // A pending one cannot be asked whose it is; nobody gets anything by it, and the plan names it.
  if (arn === undefined) return true;
  return outdated(MARK, await sns.subscriptionAttributes(arn)).length === 0;
}

function queueRemoval({ arn, url, tags, attributes }: Queue, wanted: WantedTopology, sqs: Sqs): Removal {
  const resource = `queue ${arn}`;
  if (!isOurs(tags, wanted.environment)) return { resource, action: "kept", reason: "not tagged as aec's" };
  const count = (name: string) => Number(attributes[name] ?? 0);
  const waiting = count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible");
  return waiting > 0
    ? { resource, action: "kept", reason: `${waiting} messages are in it: aec sns redrive applies them` }
    : { resource, action: "delete", apply: () => sqs.deleteQueue(url) };
}
