import { type Place, placesOf } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import type { CommandResult } from "../../output/output.ts";
import type { ObservedRecording } from "../../recorder/plan.ts";
import { recordingState } from "../../recorder/state.ts";
import { type ApplyOptions, applyInPlaces, type Proposal } from "../in-places.ts";
import { type RecorderOptions, readRecording } from "./options.ts";

export interface RecorderDisableOptions
  extends Pick<RecorderOptions, "topicName" | "topicArn" | "regions" | "accounts">,
    ApplyOptions {}

interface Step {
  resource: "recorder" | "delivery channel" | "recording";
  action: "delete" | "update";
  detail: string;
  apply(): Promise<unknown>;
}

/** `aec recorder disable`: leaves AWS Config as `enable` found it; without a record of that it only takes our topic out. */
export async function run(context: Context, options: RecorderDisableOptions): Promise<CommandResult> {
  const propose = async (place: Place): Promise<Proposal> => {
    const state = recordingState(context.world, place.accountId, place.region);
    const steps = await undoing(await readRecording(context, place, options), state.read()?.before);
    const data = {
      region: place.region,
      changes: steps.map(({ resource, action, detail }) => ({ resource, action, detail })),
      dryRun: false,
    };
    const lines = steps.map(({ resource, action, detail }) => `${action} ${resource} (${detail})`);
    return {
      data,
      lines,
      differs: steps.length > 0,
      apply: async () => {
        for (const step of steps) await step.apply();
        state.forget();
        const done = lines.map((line) => line.replace(/^(delete|update) /, "$1d "));
        return {
          data,
          text: () =>
            done.length > 0
              ? done.join("\n")
              : "AWS Config does not publish to the topic: nothing to change.",
        };
      },
    };
  };
  return applyInPlaces(context, await placesOf(context, options), propose, options);
}

/** The steps back to `before`; what changed since without `aec` is put back only where it is ours to change. */
async function undoing(
  { config, observed, wanted }: Awaited<ReturnType<typeof readRecording>>,
  before: ObservedRecording | undefined,
): Promise<Step[]> {
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
  return steps;
}
