import type { ConfigService } from "../../aws/config-service.ts";
import { type Place, placesOf } from "../../aws/places.ts";
import { createSns } from "../../aws/sns.ts";
import type { Context } from "../../context.ts";
import { failure } from "../../errors.ts";
import { parseTopicArn } from "../../events/signing-host.ts";
import type { CommandResult } from "../../output/output.ts";
import { planRecording, type RecordingPlan } from "../../recorder/plan.ts";
import { estimatePrice } from "../../recorder/price.ts";
import { putChannel } from "../../recorder/put-channel.ts";
import { recordingState } from "../../recorder/state.ts";
import { describeChange } from "../change-lines.ts";
import { type ApplyOptions, applyInPlaces, type Proposal } from "../in-places.ts";
import { type RecorderOptions, readRecording, wantedRecording } from "./options.ts";

export interface RecorderEnableOptions extends RecorderOptions, ApplyOptions {
  export?: "cloudformation" | undefined;
}

/** For the estimate where nobody knows better. */
const ITEMS_PER_DAY = 1_000;

/** `aec recorder enable`: AWS Config records what `aec serve` uses and publishes it to the topic. */
export async function run(context: Context, options: RecorderEnableOptions): Promise<CommandResult> {
  if (options.export) {
    const [{ recordingTemplate }, { ANY_PLACE }] = await Promise.all([
      import("../../recorder/template.ts"),
      import("../../cloudformation/template.ts"),
    ]);
    return recordingTemplate(wantedRecording(context, ANY_PLACE, options));
  }
  const propose = async (place: Place): Promise<Proposal> => {
    const { config, observed, wanted } = await readRecording(context, place, options);
    const plan = planRecording(wanted, observed);
    if (plan.channel) await assertUsableTopic(context, place, wanted.topicArn);
    const price = plan.recorder ? estimatePrice(ITEMS_PER_DAY) : undefined;
    for (const warning of plan.warnings) context.out.warn(warning);
    const data = {
      region: place.region,
      topicArn: wanted.topicArn,
      changes: plan.changes,
      ...(price && { price }),
      warnings: plan.warnings,
    };
    const differs = plan.changes.some(({ action }) => action !== "none");
    return {
      data,
      differs,
      lines: [
        ...plan.changes.map(describeChange),
        ...(price
          ? [
              `about ${price.usdPerMonth} USD a month at ${price.itemsPerDay} changes a day (${price.usdPerItem} USD each)`,
            ]
          : []),
      ],
      apply: async () => {
        if (!differs)
          return { data, text: () => "AWS Config publishes to the topic as wanted: nothing to change." };
        recordingState(context.world, place.accountId, place.region).remember({
          version: 1,
          topicArn: wanted.topicArn,
          before: observed,
          made: { recorder: plan.recorder, channel: plan.channel },
        });
        await apply(config, plan);
        return { data, text: () => `AWS Config publishes to ${wanted.topicArn}` };
      },
    };
  };
  return applyInPlaces(context, await placesOf(context, options), propose, options);
}

/** AWS Config drops what it cannot publish, so a topic that it cannot use is refused; one of another account is not seen. */
async function assertUsableTopic(context: Context, place: Place, topicArn: string): Promise<void> {
  if (parseTopicArn(topicArn)?.accountId !== place.accountId) return;
  const topic = await createSns(context, place).topic(topicArn);
  if (!topic) {
    throw failure("no-topic", `there is no topic ${topicArn}`, {
      hint: "aec sns create makes it; --topic-name or --topic-arn name another",
    });
  }
  const key = topic.attributes.KmsMasterKeyId;
  if (key) {
    throw failure("topic-encrypted", `${topicArn} is encrypted (${key}): AWS Config cannot publish to it`, {
      hint: "name a topic without encryption, or leave Config out and use: aec events enable",
    });
  }
}

/** Recorder, channel, start: each needs the one before. */
async function apply(config: ConfigService, plan: RecordingPlan): Promise<void> {
  if (plan.recorder) await config.putRecorder(plan.recorder);
  if (plan.channel) await putChannel(config, plan.channel);
  if (plan.start) await config.start((await config.recorder())?.name ?? "default");
}
