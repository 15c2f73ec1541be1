import { createSns } from "../../aws/sns.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { observe } from "../../sns/observe.ts";
import { describeChange, planTopology } from "../../sns/plan.ts";
import { topicArn } from "../../sns/topology.ts";
import { type SnsOptions, wantedTopology } from "./options.ts";

export interface SnsStatusOptions extends SnsOptions {
  exitCode?: boolean | undefined;
  /** Also reads the dead-letter queue and AWS Config. */
  deep?: boolean | undefined;
}

/** `aec sns status`: what differs from what `aec sns create` would make, and who is subscribed. Changes nothing. */
export async function run(context: Context, options: SnsStatusOptions): Promise<CommandResult> {
  const wanted = await wantedTopology(context, options);
  const arn = topicArn(wanted);
  const sns = createSns(context, wanted.region);
  const deep = options.deep ? await deepReaders(context, wanted.region) : undefined;
  const [observed, channel] = await Promise.all([
    observe(wanted, sns, wanted.deadLetterQueue ? deep?.sqs : undefined),
    deep?.deliveryChannelTopic(),
  ]);
  const subscriptions = observed.topic ? await sns.subscriptions(arn) : [];
  const { changes } = planTopology(wanted, observed);
  const drift = changes.filter(({ action }) => action !== "none");
  const undelivered =
    observed.queue && observed.queue !== "not-read"
      ? Number(observed.queue.attributes.ApproximateNumberOfMessages ?? 0)
      : undefined;
  return {
    data: {
      region: wanted.region,
      topicArn: arn,
      exists: observed.topic !== undefined,
      drift,
      subscriptions: subscriptions.map(({ arn: subscriptionArn, endpoint }) => ({
        endpoint,
        subscriptionArn: subscriptionArn ?? null,
        state: subscriptionArn ? "confirmed" : "pending",
      })),
      ...(deep && { undelivered: undelivered ?? null, deliveryChannelTopic: channel ?? null }),
    },
    exit: options.exitCode && drift.length > 0 ? EXIT.differences : EXIT.ok,
    text: (paint) =>
      [
        `topic         ${arn}: ${observed.topic ? paint.green("exists") : paint.yellow("missing")}`,
        ...subscriptions.map(({ arn: confirmed, endpoint }) =>
          confirmed
            ? `subscription  ${endpoint}: ${paint.green("confirmed")}`
            : `subscription  ${endpoint}: ${paint.yellow("pending")} (aec sns create asks for the confirmation again)`,
        ),
        ...drift.map((change) => paint.yellow(`drift         ${describeChange(change)}`)),
        drift.length > 0
          ? `mend it with:  aec sns create${wanted.endpoint ? "" : " --endpoint https://GATE/aws/notify"}`
          : "drift         none",
        ...(undelivered === undefined ? [] : [`undelivered   ${undelivered}`]),
        ...(deep ? [`AWS Config    ${configLine(channel ?? null, arn)}`] : []),
      ].join("\n"),
  };
}

/** Clients that only --deep loads. */
async function deepReaders(context: Context, region: string) {
  const [{ createSqs }, { createConfigService }] = await Promise.all([
    import("../../aws/sqs.ts"),
    import("../../aws/config-service.ts"),
  ]);
  return {
    sqs: createSqs(context, region),
    deliveryChannelTopic: async () => {
      const topic = (await createConfigService(context, region).channel())?.snsTopicARN;
      return typeof topic === "string" ? topic : null;
    },
  };
}

function configLine(channel: string | null, arn: string): string {
  if (channel === null)
    return "publishes to no topic: no event will come until its delivery channel names this one";
  return channel === arn ? "publishes to this topic" : `publishes to ${channel}`;
}
