import { placesOf } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { dailyTypes, recordedTypes } from "../../recorder/plan.ts";
import { type PlaceResult, readInPlaces } from "../in-places.ts";
import { type RecorderOptions, readRecording } from "./options.ts";

export interface RecorderStatusOptions
  extends Pick<RecorderOptions, "topicName" | "topicArn" | "regions" | "accounts"> {
  exitCode?: boolean | undefined;
}

/** `aec recorder status`: whether AWS Config records, what, and where it publishes. Changes nothing. */
export async function run(context: Context, options: RecorderStatusOptions): Promise<CommandResult> {
  return readInPlaces(await placesOf(context, options), async (place): Promise<PlaceResult> => {
    const { observed, wanted } = await readRecording(context, place, options);
    const { recorder, recording, channel } = observed;
    const topic = channel?.snsTopicARN ?? null;
    const { types, missing } = recordedTypes(recorder, wanted.types);
    const daily = dailyTypes(recorder, wanted.types);
    const wired = recording && topic === wanted.topicArn && missing.length === 0 && daily.length === 0;
    return {
      data: {
        region: place.region,
        recorder: recorder?.name ?? null,
        recording,
        types,
        missing,
        daily,
        deliveryChannelTopic: topic,
        wired,
      },
      exit: options.exitCode && !wired ? EXIT.differences : EXIT.ok,
      text: (paint) =>
        [
          `recorder  ${recorder ? (recording ? paint.green("records") : paint.yellow("is stopped")) : paint.yellow("there is none")}`,
          ...(missing.length > 0 ? [paint.yellow(`missing   ${missing.join(", ")}`)] : []),
          ...(daily.length > 0 ? [paint.yellow(`daily     ${daily.join(", ")}: of no use for a cache`)] : []),
          `channel   ${topic === wanted.topicArn ? paint.green(`publishes to ${topic}`) : paint.yellow(topic ? `publishes to ${topic}` : "publishes to no topic")}`,
          ...(wired ? [] : ["mend it with:  aec recorder enable"]),
        ].join("\n"),
    };
  });
}
