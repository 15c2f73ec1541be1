import { createConfigService } from "../../aws/config-service.ts";
import { type Place, type PlaceOptions, roleArn } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import { RECORDED_TYPES } from "../../events/table.ts";
import { observeRecording } from "../../recorder/observe.ts";
import type { WantedRecording } from "../../recorder/plan.ts";
import { checkTopicArn, topicArn } from "../../sns/topology.ts";
import { type SnsOptions, topicOf } from "../sns/options.ts";

export interface RecorderOptions extends PlaceOptions, Pick<SnsOptions, "topicName"> {
  /** A topic of another account, for all places. */
  topicArn?: string | undefined;
  bucket?: string | undefined;
  roleArn?: string | undefined;
  replaceTopic?: boolean | undefined;
}

const SERVICE_LINKED = "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";

/** What the command wants in a place, and what it finds there. */
export async function readRecording(context: Context, place: Place, options: RecorderOptions) {
  const config = createConfigService(context, place);
  const wanted = wantedRecording(context, place, options);
  return { config, wanted, observed: await observeRecording(config) };
}

/** What the command wants in a place. */
export function wantedRecording(
  context: Context,
  place: Pick<Place, "accountId" | "partition" | "region">,
  options: RecorderOptions,
): WantedRecording {
  const { topicName } = topicOf(context, options);
  return {
    topicArn:
      options.topicArn === undefined
        ? topicArn({ ...place, topicName })
        : checkTopicArn(options.topicArn, place.region),
    types: [...RECORDED_TYPES],
    bucket: options.bucket,
    roleArn: options.roleArn ?? roleArn(SERVICE_LINKED, place),
    replaceTopic: Boolean(options.replaceTopic),
  };
}
