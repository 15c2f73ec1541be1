import { isDeepStrictEqual } from "node:util";
import type { ConfigService } from "../../aws/config-service.ts";
import type { Context } from "../../context.ts";
import { EXIT, failure } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { planRecording, type RecordingChange, type RecordingPlan } from "../../recorder/plan.ts";
import { estimatePrice } from "../../recorder/price.ts";
import { recordingState } from "../../recorder/state.ts";
import { type RecorderOptions, readRecording } from "./options.ts";

export interface RecorderEnableOptions extends RecorderOptions {
  dryRun?: boolean | undefined;
  exitCode?: boolean | undefined;
}

/** For the estimate where nobody knows better. */
const ITEMS_PER_DAY = 1_000;

/** `aec recorder enable`: AWS Config records what `aec serve` uses and publishes it to the topic. */
export async function run(context: Context, options: RecorderEnableOptions): Promise<CommandResult> {
  const { config, observed, wanted, region, accountId } = await readRecording(context, options);
  const plan = planRecording(wanted, observed);
  const differences = plan.changes.filter(({ action }) => action !== "none");
  const price = plan.recorder ? estimatePrice(ITEMS_PER_DAY) : undefined;
  const data = {
    region,
    topicArn: wanted.topicArn,
    changes: plan.changes,
    ...(price && { price }),
    warnings: plan.warnings,
  };
  const lines = [
    ...plan.changes.map(describe),
    ...(price
      ? [
          `about ${price.usdPerMonth} USD a month at ${price.itemsPerDay} changes a day (${price.usdPerItem} USD each)`,
        ]
      : []),
  ];
  for (const warning of plan.warnings) context.out.warn(warning);

  if (differences.length === 0)
    return { data, text: () => "AWS Config publishes to the topic as wanted: nothing to change." };
  if (options.dryRun) {
    return {
      data: { ...data, dryRun: true },
      text: () => [...lines, "Dry run: nothing was changed."].join("\n"),
      exit: options.exitCode ? EXIT.differences : EXIT.ok,
    };
  }
  const show = context.asks ? context.out.show : context.out.say;
  for (const line of lines) show(line);
  await context.confirm(`Make these changes to AWS Config in ${accountId}, ${region}?`);
  recordingState(context.world, accountId, region).remember(wanted.topicArn, observed);
  await apply(config, plan);
  return { data, text: () => `AWS Config publishes to ${wanted.topicArn}` };
}

function describe({ resource, action, detail }: RecordingChange): string {
  return `${action === "none" ? "ok    " : action} ${resource}${detail ? ` (${detail})` : ""}`;
}

/** Recorder, channel, start: each needs the one before. What was put is read back, since a put may drop fields. */
async function apply(config: ConfigService, plan: RecordingPlan): Promise<void> {
  if (plan.recorder) await config.putRecorder(plan.recorder);
  if (plan.channel) {
    await config.putChannel(plan.channel);
    const found = await config.channel();
    if (!isDeepStrictEqual(defined(found), defined(plan.channel))) {
      throw failure("channel-differs", "the delivery channel is not what was put", {
        detail: `put ${JSON.stringify(plan.channel)}, found ${JSON.stringify(found)}`,
        hint: "aec recorder disable puts back the one that was there",
      });
    }
  }
  if (plan.start) await config.start((await config.recorder())?.name ?? "default");
}

function defined(fields: object | undefined): object {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined));
}
