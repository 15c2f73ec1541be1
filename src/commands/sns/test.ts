import { type PlaceOptions, placesOf } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import { follow, HINTS } from "../../doctor/follow.ts";
import { formatDuration } from "../../duration.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { topicArn } from "../../sns/topology.ts";
import { type PlaceResult, readInPlaces } from "../in-places.ts";
import { type SnsOptions, topicOf } from "./options.ts";

export interface SnsTestOptions extends PlaceOptions, Pick<SnsOptions, "topicName"> {}

/** `aec sns test`: a message that asks for nothing goes the way of an event; names the step at which it got lost. */
export async function run(context: Context, options: SnsTestOptions): Promise<CommandResult> {
  const { environment, topicName } = topicOf(context, options);
  return readInPlaces(await placesOf(context, options), async (place): Promise<PlaceResult> => {
    const { region } = place;
    const arn = topicArn({ ...place, topicName });
    const { messageId, steps } = await follow(context, place, arn, environment);
    const failed = steps.find(({ ok }) => !ok);
    const followed = context.settings.serve.value !== undefined;
    return {
      data: { region, topicArn: arn, messageId: messageId ?? null, steps, failed: failed?.name ?? null },
      exit: failed ? (failed.name === "received" ? EXIT.timeout : EXIT.failed) : EXIT.ok,
      text: (paint) =>
        [
          ...steps.map(({ name, ok, afterMs, detail }) =>
            [
              name.padEnd(11),
              ok ? paint.green("ok") : paint.red("failed"),
              ...(afterMs === undefined ? [] : [`after ${formatDuration(afterMs)}`]),
              ...(detail ? [detail] : []),
            ].join(" "),
          ),
          ...(failed
            ? HINTS[failed.name].map((hint) => `  look at: ${hint}`)
            : followed
              ? []
              : ["It was not followed further: add --serve-url, the admin address of aec serve."]),
        ].join("\n"),
    };
  });
}
