import type { Logger } from "pino";
import type { Context } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { parseTopicArn } from "../../events/signing-host.ts";
import { deadLetterQueueName } from "../../sns/topology.ts";
import { topicClients } from "../topic-clients.ts";

const LOOK_MS = 60_000;

/**
 * Looks at the topics' dead-letter queues, and tells when one has got more: what could not be delivered is in them,
 * so that the cache may be behind. `grown` tells whether that is made up for. Runs until the signal aborts.
 */
export async function watchDeadLetters(
  context: Context,
  topics: readonly string[],
  log: Logger,
  grown: (queue: string) => Promise<boolean>,
): Promise<void> {
  const { clock, signal } = context.world;
  const { createSqs } = await import("../../aws/sqs.ts");
  const clientOf = topicClients(context, (place) => createSqs(context, place));
  const seen = new Map<string, number>();
  const silenced = new Set<string>();
  const look = async (arn: string) => {
    const sqs = await clientOf(arn);
    const topicName = parseTopicArn(arn)?.name ?? "";
    const queue = await sqs.queue(deadLetterQueueName({ topicName }));
    if (!queue) return;
    const waiting = Number(queue.attributes.ApproximateNumberOfMessages ?? 0);
    if (waiting > (seen.get(arn) ?? 0)) {
      log.warn(
        { queue: queue.arn, waiting },
        "messages could not be delivered: aec sns redrive applies them",
      );
      // Looked at again until something was done about it.
      if (!(await grown(queue.arn))) return;
    }
    seen.set(arn, waiting);
  };
  while (!signal.aborted) {
    for (const arn of topics) {
      try {
        await look(arn);
        silenced.delete(arn);
      } catch (error) {
        if (signal.aborted) return;
        if (!silenced.has(arn))
          log.warn({ topic: arn, problem: messageOf(error) }, "its dead-letter queue is not watched");
        silenced.add(arn);
      }
    }
    await clock.sleep(LOOK_MS, signal).catch(() => {});
  }
}
