import { createConfigService } from "../../aws/config-service.ts";
import type { Context } from "../../context.ts";
import { CONFIG_TYPES } from "../../events/event.ts";
import { observeRecording } from "../../recorder/observe.ts";
import type { ObservedRecording, WantedRecording } from "../../recorder/plan.ts";
import { topicArn } from "../../sns/topology.ts";
import { type SnsOptions, wantedTopology } from "../sns/options.ts";

export interface RecorderOptions extends Pick<SnsOptions, "topicName"> {
  bucket?: string | undefined;
  roleArn?: string | undefined;
  replaceTopic?: boolean | undefined;
}

/** Where the command works, what it wants there and what it finds. */
export async function readRecording(context: Context, options: RecorderOptions) {
  const { accountId, partition, region, ...topology } = await wantedTopology(context, {
    topicName: options.topicName,
  });
  const config = createConfigService(context, region);
  const observed: ObservedRecording = await observeRecording(config);
  const wanted: WantedRecording = {
    topicArn: topicArn({ accountId, partition, region, ...topology }),
    types: Object.keys(CONFIG_TYPES),
    bucket: options.bucket,
    roleArn:
      options.roleArn ??
      `arn:${partition}:iam::${accountId}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`,
    replaceTopic: Boolean(options.replaceTopic),
  };
  return { config, observed, wanted, region, accountId };
}
