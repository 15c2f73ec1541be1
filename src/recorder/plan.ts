import { failure, usageError } from "../errors.ts";

/** The recorder as the API has it; what `aec` does not know of is carried along. */
export interface RecorderDocument {
  name?: string | undefined;
  roleARN?: string | undefined;
  recordingGroup?:
    | {
        allSupported?: boolean | undefined;
        resourceTypes?: string[] | undefined;
        exclusionByResourceTypes?: { resourceTypes?: string[] | undefined } | undefined;
        recordingStrategy?: { useOnly?: string | undefined } | undefined;
      }
    | undefined;
  recordingMode?:
    | {
        recordingFrequency?: string | undefined;
        recordingModeOverrides?:
          | { resourceTypes?: string[] | undefined; recordingFrequency?: string | undefined }[]
          | undefined;
      }
    | undefined;
}

/** The delivery channel as the API has it. A put drops every field that it does not name. */
export interface ChannelDocument {
  name?: string | undefined;
  s3BucketName?: string | undefined;
  snsTopicARN?: string | undefined;
  [field: string]: unknown;
}

export interface ObservedRecording {
  recorder: RecorderDocument | undefined;
  recording: boolean;
  channel: ChannelDocument | undefined;
}

export interface WantedRecording {
  topicArn: string;
  /** Resource types that have to be recorded. */
  types: readonly string[];
  /** For a recorder and channel that do not exist yet. */
  bucket: string | undefined;
  roleArn: string;
  /** Take the channel from the topic that it publishes to now. */
  replaceTopic: boolean;
}

export interface RecordingChange {
  resource: "recorder" | "delivery channel" | "recording";
  action: "create" | "update" | "none";
  detail?: string;
}

/** The difference as data, and the documents that close it. */
export interface RecordingPlan {
  changes: RecordingChange[];
  recorder: RecorderDocument | undefined;
  channel: ChannelDocument | undefined;
  start: boolean;
  warnings: string[];
}

/** Compares without touching anything. Throws where the channel publishes to somebody else's topic. */
export function planRecording(wanted: WantedRecording, observed: ObservedRecording): RecordingPlan {
  const { recorder, channel, recording } = observed;
  const group = widenedGroup(recorder, wanted);
  const nextChannel = channelWithTopic(channel, wanted);
  const warnings: string[] = [];
  const daily = dailyTypes(recorder, wanted.types);
  if (daily.length > 0) {
    warnings.push(`recorded once a day, which is of no use for a cache: ${daily.join(", ")}`);
  }
  return {
    changes: [
      change(
        "recorder",
        recorder,
        group.missing.length > 0 ? `also record ${group.missing.join(", ")}` : undefined,
      ),
      change(
        "delivery channel",
        channel,
        nextChannel && channel ? `publish to ${wanted.topicArn}` : undefined,
      ),
      {
        resource: "recording",
        action: recording ? "none" : "update",
        ...(!recording && { detail: "start" }),
      },
    ],
    recorder: group.document,
    channel: nextChannel,
    start: !recording,
    warnings,
  };
}

function change(
  resource: RecordingChange["resource"],
  present: object | undefined,
  detail: string | undefined,
): RecordingChange {
  if (!present) return { resource, action: "create" };
  return detail ? { resource, action: "update", detail } : { resource, action: "none" };
}

/** The types that are recorded once a day, by the recorder's mode or an override for them. */
export function dailyTypes(recorder: RecorderDocument | undefined, types: readonly string[]): string[] {
  const mode = recorder?.recordingMode;
  return types.filter((type) => {
    const override = mode?.recordingModeOverrides?.find(({ resourceTypes }) => resourceTypes?.includes(type));
    return (override ?? mode)?.recordingFrequency === "DAILY";
  });
}

/** What a recorder records, and which of the wanted types it leaves out. */
export function recordedTypes(
  recorder: RecorderDocument | undefined,
  wanted: readonly string[],
): { types: "all" | readonly string[]; missing: string[] } {
  const group = recorder?.recordingGroup;
  if (!recorder) return { types: [], missing: [...wanted] };
  if (group?.recordingStrategy?.useOnly === "EXCLUSION_BY_RESOURCE_TYPES") {
    const excluded = group.exclusionByResourceTypes?.resourceTypes ?? [];
    return { types: "all", missing: wanted.filter((type) => excluded.includes(type)) };
  }
  const all = group === undefined || group.allSupported === true || group.resourceTypes === undefined;
  if (all) return { types: "all", missing: [] };
  const types = group.resourceTypes ?? [];
  return { types, missing: wanted.filter((type) => !types.includes(type)) };
}

/** The recorder with the wanted types in it; every other field stays as it is. */
function widenedGroup(
  recorder: RecorderDocument | undefined,
  { types, roleArn }: WantedRecording,
): { document: RecorderDocument | undefined; missing: string[] } {
  const { missing } = recordedTypes(recorder, types);
  if (!recorder) {
    const recordingGroup = {
      allSupported: false,
      resourceTypes: [...types],
      recordingStrategy: { useOnly: "INCLUSION_BY_RESOURCE_TYPES" },
    };
    return { document: { name: "default", roleARN: roleArn, recordingGroup }, missing };
  }
  if (missing.length === 0) return { document: undefined, missing };
  const group = recorder.recordingGroup ?? {};
  const excluded = group.exclusionByResourceTypes?.resourceTypes ?? [];
  const recordingGroup =
    group.recordingStrategy?.useOnly === "EXCLUSION_BY_RESOURCE_TYPES"
      ? {
          ...group,
          exclusionByResourceTypes: { resourceTypes: excluded.filter((type) => !types.includes(type)) },
        }
      : { ...group, resourceTypes: [...(group.resourceTypes ?? []), ...missing] };
  return { document: { ...recorder, recordingGroup }, missing };
}

function channelWithTopic(
  channel: ChannelDocument | undefined,
  { topicArn, bucket, replaceTopic }: WantedRecording,
): ChannelDocument | undefined {
  if (!channel) {
    if (bucket !== undefined) return { name: "default", s3BucketName: bucket, snsTopicARN: topicArn };
    throw usageError("no-bucket", "this Region has no delivery channel, and one needs a bucket", {
      hint: "add --bucket NAME, a bucket that AWS Config may write to",
    });
  }
  if (channel.snsTopicARN === topicArn) return undefined;
  if (channel.snsTopicARN !== undefined && !replaceTopic) {
    throw failure("channel-taken", `the delivery channel publishes to ${channel.snsTopicARN}`, {
      detail: [
        "three ways out:",
        `  subscribe to that topic too, and take its messages: aec serve --topic-arn ${channel.snsTopicARN}`,
        "  take Config's changes by an EventBridge rule instead: aec events enable --config-items",
        "  take the channel over: --replace-topic (whoever reads that topic gets nothing more)",
      ].join("\n"),
      hint: "Config allows one channel for each account and Region",
    });
  }
  return { ...channel, snsTopicARN: topicArn };
}
