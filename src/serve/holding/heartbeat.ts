import type { Logger } from "pino";
import type { Context } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { HEARTBEAT_SOURCE, heartbeatText } from "../../events/heartbeat.ts";
import { topicClients } from "../topic-clients.ts";

/**
 * Sends a heartbeat by each path of each topic, so often: published to it, and as an event of our own, which a rule
 * (`aec events enable --rules heartbeat`) sends there. Runs until the signal aborts.
 */
export async function sendHeartbeats(
  context: Context,
  topics: readonly string[],
  everyMs: number,
  log: Logger,
): Promise<void> {
  const { clock, signal } = context.world;
  const [{ createSns }, { createEventBridge }] = await Promise.all([
    import("../../aws/sns.ts"),
    import("../../aws/eventbridge.ts"),
  ]);
  const clientsOf = topicClients(context, (place) => ({
    sns: createSns(context, place),
    bus: createEventBridge(context, place),
  }));
  const beat = async (arn: string) => {
    const { sns, bus } = await clientsOf(arn);
    const text = heartbeatText(clock.now());
    await sns.publish(arn, text);
    await bus.putEvent(HEARTBEAT_SOURCE, "aec heartbeat", text);
  };
  while (!signal.aborted) {
    for (const arn of topics) {
      await beat(arn).catch((error) => {
        if (!signal.aborted)
          log.warn({ topic: arn, problem: messageOf(error) }, "no heartbeat could be sent");
      });
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
