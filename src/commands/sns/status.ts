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
}

/** `aec sns status`: what differs from what `aec sns create` would make, and who is subscribed. Changes nothing. */
export async function run(context: Context, options: SnsStatusOptions): Promise<CommandResult> {
  const wanted = await wantedTopology(context, options);
  const arn = topicArn(wanted);
  const sns = createSns(context, wanted.region);
  const queues = wanted.deadLetterQueue
    ? (await import("../../aws/sqs.ts")).createSqs(context, wanted.region)
    : undefined;
  const { deliveryChannelTopic } = await import("../../aws/config-service.ts");
  const [observed, channel] = await Promise.all([
    observe(wanted, sns, queues),
    // Whether Config feeds the topic is worth a line, not a failure: the permission may be missing.
    deliveryChannelTopic(context, wanted.region).catch(() => undefined),
  ]);
  const subscriptions = observed.topic ? await sns.subscriptions(arn) : [];
  const { changes } = planTopology(wanted, observed);
  const drift = changes.filter(({ action }) => action !== "none");
  const feeds = channel === arn;
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
      deliveryChannelTopic: channel ?? null,
    },
    exit: options.exitCode && drift.length > 0 ? EXIT.differences : EXIT.ok,
    text: (paint) =>
      [
        `topic         ${arn}: ${observed.topic ? paint.green("exists") : paint.yellow("missing")}`,
        ...subscriptions.map(
          ({ arn: confirmed, endpoint }) =>
            `subscription  ${endpoint}: ${confirmed ? paint.green("confirmed") : paint.yellow("pending")}`,
        ),
        ...drift.map((change) => paint.yellow(`drift         ${describeChange(change)}`)),
        drift.length > 0 ? "mend it with:  aec sns create" : "drift         none",
        channel === undefined
          ? "AWS Config    unknown (config:DescribeDeliveryChannels failed)"
          : `AWS Config    ${feeds ? paint.green("publishes to this topic") : channel ? `publishes to ${channel}` : "publishes to no topic"}`,
      ].join("\n"),
  };
}
