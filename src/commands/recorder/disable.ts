import type { ConfigService } from "../../aws/config-service.ts";
import { type Place, placesOf } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import { failure } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import type { ObservedRecording } from "../../recorder/plan.ts";
import { putChannel } from "../../recorder/put-channel.ts";
import { recordingState } from "../../recorder/state.ts";
import { planUndo, type UndoStep } from "../../recorder/undo.ts";
import { describeChange, describeDone } from "../change-lines.ts";
import { type ApplyOptions, applyInPlaces, type Proposal } from "../in-places.ts";
import { type RecorderOptions, readRecording } from "./options.ts";

export interface RecorderDisableOptions
  extends Pick<RecorderOptions, "topicName" | "topicArn" | "regions" | "accounts">,
    ApplyOptions {}

/** `aec recorder disable`: leaves AWS Config as `enable` found it; without a record of that it only takes our topic out. */
export async function run(context: Context, options: RecorderDisableOptions): Promise<CommandResult> {
  const propose = async (place: Place): Promise<Proposal> => {
    const state = recordingState(context.world, place.accountId, place.region);
    const { config, observed, wanted } = await readRecording(context, place, options);
    const record = state.read();
    if (record && record.topicArn !== wanted.topicArn) {
      throw failure(
        "other-topic",
        `AWS Config was enabled here for ${record.topicArn}, not for ${wanted.topicArn}`,
        { hint: "name that one with --topic-name, --topic-arn or --env" },
      );
    }
    const steps = planUndo(record, observed, wanted.topicArn);
    const doing = steps.filter(({ action }) => action !== "kept");
    const data = {
      region: place.region,
      changes: steps.map(({ resource, action, detail }) => ({ resource, action, detail })),
      dryRun: false,
    };
    const lines = steps.map(describeChange);
    return {
      data,
      lines,
      differs: doing.length > 0,
      apply: async () => {
        for (const step of doing) await undo(step, config, observed);
        state.forget();
        const done = lines.map(describeDone);
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

async function undo(
  step: UndoStep,
  config: ConfigService,
  { recorder, channel }: ObservedRecording,
): Promise<void> {
  const recorderName = recorder?.name ?? "default";
  if (step.resource === "recording") await config.stop(recorderName);
  else if (step.resource === "delivery channel") {
    if (step.action === "delete") await config.deleteChannel(channel?.name ?? "default");
    else if (step.action === "update") await putChannel(config, step.document);
  } else if (step.action === "delete") await config.deleteRecorder(recorderName);
  else if (step.action === "update") await config.putRecorder(step.document);
}
