import { createConfigService, type LastDelivery } from "../../aws/config-service.ts";
import type { Place } from "../../aws/places.ts";
import { createSqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import type { ObservedQueue, ObservedTopology } from "../../sns/plan.ts";

/** What --deep adds, in JSON. */
interface DeepStatus {
  /** Messages in the dead-letter queue. */
  undelivered: number | null;
  /** Messages in the event queue that wait for `aec serve`. */
  waiting?: number;
  /** Where AWS Config publishes. */
  deliveryChannelTopic: string | null;
  /** AWS Config's last publication: `SUCCESS`, `FAILURE` with its reason; null where it cannot be told. */
  lastDelivery: LastDelivery | null;
}

type ConfigDelivery = Pick<DeepStatus, "deliveryChannelTopic" | "lastDelivery">;

/** Clients that only --deep loads. */
export function deepReaders(context: Context, place: Place) {
  const config = createConfigService(context, place);
  return {
    sqs: createSqs(context, place),
    async configDelivery(): Promise<ConfigDelivery> {
      const [channel, lastDelivery] = await Promise.all([config.channel(), config.lastDelivery()]);
      const topic = channel?.snsTopicARN;
      return { deliveryChannelTopic: typeof topic === "string" ? topic : null, lastDelivery };
    },
  };
}

export function deepStatus(
  { deadLetterQueue, eventQueue }: ObservedTopology,
  { deliveryChannelTopic, lastDelivery }: ConfigDelivery,
): DeepStatus {
  const waiting = messages(eventQueue);
  return {
    undelivered: messages(deadLetterQueue) ?? null,
    ...(waiting !== undefined && { waiting }),
    deliveryChannelTopic,
    lastDelivery,
  };
}

export function deepLines(
  { undelivered, waiting, deliveryChannelTopic, lastDelivery }: DeepStatus,
  arn: string,
): string[] {
  return [
    ...(undelivered === null
      ? []
      : [`undelivered   ${undelivered}${undelivered > 0 ? ": aec sns redrive" : ""}`]),
    ...(waiting === undefined ? [] : [`waiting       ${waiting}`]),
    `AWS Config    ${channelLine(deliveryChannelTopic, arn)}`,
    ...(lastDelivery
      ? [
          `last delivery ${lastDelivery.status}${lastDelivery.at ? ` at ${lastDelivery.at}` : ""}${lastDelivery.reason ? `: ${lastDelivery.reason}` : ""}`,
        ]
      : []),
  ];
}

export const DEEP_HEADINGS = ["UNDELIVERED", "AWS CONFIG", "LAST DELIVERY"] as const;

export function deepCells(
  { undelivered, deliveryChannelTopic, lastDelivery }: DeepStatus,
  arn: string,
): string[] {
  const channel =
    deliveryChannelTopic === arn ? "publishes here" : (deliveryChannelTopic ?? "publishes nowhere");
  return [String(undelivered ?? "-"), channel, lastDelivery?.status ?? "-"];
}

function messages(queue: ObservedQueue | undefined | "not-read"): number | undefined {
  return queue && queue !== "not-read"
    ? Number(queue.attributes.ApproximateNumberOfMessages ?? 0)
    : undefined;
}

function channelLine(channel: string | null, arn: string): string {
  if (channel === null)
    return "publishes to no topic: no event will come until its delivery channel names this one";
  return channel === arn ? "publishes to this topic" : `publishes to ${channel}`;
}
