import type { Context } from "../../context.ts";
import type { CommandResult } from "../../output/output.ts";
import { recordingState } from "../../recorder/state.ts";
import { applySteps } from "../apply-steps.ts";
import { type RecorderOptions, readRecording } from "./options.ts";

export interface RecorderDisableOptions extends Pick<RecorderOptions, "topicName"> {
  dryRun?: boolean | undefined;
  exitCode?: boolean | undefined;
}

interface Step {
  resource: "recorder" | "delivery channel" | "recording";
  action: "delete" | "update";
  detail: string;
  apply(): Promise<unknown>;
}

/** `aec recorder disable`: leaves AWS Config as `enable` found it; without a record of that it only takes our topic out. */
export async function run(context: Context, options: RecorderDisableOptions): Promise<CommandResult> {
  const { config, observed, wanted, region, accountId } = await readRecording(context, options);
  const state = recordingState(context.world, accountId, region);
  const before = state.read()?.before;
  const { recorder, channel } = observed;
  const ours = channel?.snsTopicARN === wanted.topicArn;
  const name = recorder?.name ?? "default";
  const steps: Step[] = [];
  if (before && !before.recording && observed.recording) {
    steps.push({ resource: "recording", action: "update", detail: "stop", apply: () => config.stop(name) });
  }
  if (channel && ours) {
    if (before && !before.channel) {
      const channelName = channel.name ?? "default";
      steps.push({
        resource: "delivery channel",
        action: "delete",
        detail: "aec made it",
        apply: () => config.deleteChannel(channelName),
      });
    } else {
      const { snsTopicARN: _, ...rest } = channel;
      const previous = before?.channel ?? rest;
      steps.push({
        resource: "delivery channel",
        action: "update",
        detail: previous.snsTopicARN ? `publish to ${previous.snsTopicARN} again` : "publish to no topic",
        apply: () => config.putChannel(previous),
      });
    }
  }
  if (before && recorder) {
    const previous = before.recorder;
    if (!previous)
      steps.push({
        resource: "recorder",
        action: "delete",
        detail: "aec made it",
        apply: () => config.deleteRecorder(name),
      });
    else if (JSON.stringify(previous.recordingGroup) !== JSON.stringify(recorder.recordingGroup)) {
      steps.push({
        resource: "recorder",
        action: "update",
        detail: "record what it did before",
        apply: () => config.putRecorder(previous),
      });
    }
  }
  const data = {
    region,
    changes: steps.map(({ resource, action, detail }) => ({ resource, action, detail })),
    dryRun: Boolean(options.dryRun),
  };
  const lines = steps.map(({ resource, action, detail }) => `${action} ${resource} (${detail})`);
  if (steps.length === 0)
    return { data, text: () => "AWS Config does not publish to the topic: nothing to change." };
  return applySteps(
    context,
    {
      data,
      lines,
      question: `Make these changes to AWS Config in ${accountId}, ${region}?`,
      steps: [...steps.map(({ apply }) => apply), async () => state.forget()],
    },
    options,
  );
}
