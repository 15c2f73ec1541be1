import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { type RecorderOptions, readRecording } from "./options.ts";

export interface RecorderStatusOptions extends Pick<RecorderOptions, "topicName"> {
  exitCode?: boolean | undefined;
}

/** `aec recorder status`: whether AWS Config records, what, and where it publishes. Changes nothing. */
export async function run(context: Context, options: RecorderStatusOptions): Promise<CommandResult> {
  const { observed, wanted, region } = await readRecording(context, options);
  const topic = observed.channel?.snsTopicARN ?? null;
  const group = observed.recorder?.recordingGroup;
  const types = group?.allSupported ? "all" : (group?.resourceTypes ?? []);
  const missing =
    types === "all" || !observed.recorder ? [] : wanted.types.filter((type) => !types.includes(type));
  const wired = observed.recording && topic === wanted.topicArn && missing.length === 0;
  return {
    data: {
      region,
      recorder: observed.recorder?.name ?? null,
      recording: observed.recording,
      types,
      missing,
      deliveryChannelTopic: topic,
      wired,
    },
    exit: options.exitCode && !wired ? EXIT.differences : EXIT.ok,
    text: (paint) =>
      [
        `recorder  ${observed.recorder ? (observed.recording ? paint.green("records") : paint.yellow("is stopped")) : paint.yellow("there is none")}`,
        ...(missing.length > 0 ? [paint.yellow(`missing   ${missing.join(", ")}`)] : []),
        `channel   ${topic === wanted.topicArn ? paint.green(`publishes to ${topic}`) : paint.yellow(topic ? `publishes to ${topic}` : "publishes to no topic")}`,
        ...(wired ? [] : ["mend it with:  aec recorder enable"]),
      ].join("\n"),
  };
}
