import type { Sns } from "../aws/sns.ts";
import type { Sqs } from "../aws/sqs.ts";
import type { ObservedTopology } from "./plan.ts";
import { deadLetterQueueName, eventQueueName, topicArn, usesQueue, type WantedTopology } from "./topology.ts";

/** Reads topic, queues (with a client for them) and the endpoint's subscription, side by side. */
export async function observe(
  wanted: WantedTopology,
  sns: Sns,
  sqs: Sqs | undefined,
): Promise<ObservedTopology> {
  const arn = topicArn(wanted);
  const [topic, deadLetterQueue, eventQueue] = await Promise.all([
    sns.topic(arn),
    sqs && wanted.deadLetterQueue ? sqs.queue(deadLetterQueueName(wanted)) : ("not-read" as const),
    sqs && usesQueue(wanted) ? sqs.queue(eventQueueName(wanted)) : ("not-read" as const),
  ]);
  const listed = topic && wanted.endpoint ? await sns.subscriptions(arn) : [];
  const found = listed.find(
    ({ endpoint }) => withoutPassword(endpoint) === withoutPassword(wanted.endpoint ?? ""),
  );
  const attributes = found?.arn ? await sns.subscriptionAttributes(found.arn) : {};
  // Some emulators list the real ARN of a pending subscription; AWS says PendingConfirmation.
  const pending = attributes.PendingConfirmation === "true";
  const subscription = found && { arn: pending ? undefined : found.arn, attributes };
  return { topic, deadLetterQueue, eventQueue, subscription };
}

/** SNS shows `user:****@host` for an endpoint with credentials. */
function withoutPassword(endpoint: string): string {
  return endpoint.replace(/:[^/@]*@/, "@");
}
