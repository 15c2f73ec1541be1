import { isDeepStrictEqual } from "node:util";
import type { ChannelDocument, ObservedRecording, RecorderDocument } from "./plan.ts";

/** What `enable` found, and what it put in its place. */
export interface RecordingRecord {
  version: 1;
  topicArn: string;
  before: ObservedRecording;
  /** Absent in records of an earlier `aec`; a member is absent where `enable` left that as it was. */
  made?: { recorder?: RecorderDocument | undefined; channel?: ChannelDocument | undefined } | undefined;
}

/** One step back; `kept` is told and not done. */
export type UndoStep =
  | { resource: "recording"; action: "update"; detail: string }
  | { resource: "recorder"; action: "update"; detail: string; document: RecorderDocument }
  | { resource: "delivery channel"; action: "update"; detail: string; document: ChannelDocument }
  | { resource: "recorder" | "delivery channel"; action: "delete" | "kept"; detail: string };

/**
 * The way back to what `enable` found. What somebody changed since stays as it is: only the topic and the types that
 * `enable` added are taken out again, and what it made is deleted only while nobody else touched it.
 */
export function planUndo(
  record: RecordingRecord | undefined,
  { recorder, recording, channel }: ObservedRecording,
  topicArn: string,
): UndoStep[] {
  const ours = channel?.snsTopicARN === topicArn;
  const before = record?.before;
  const topicBefore = before?.channel?.snsTopicARN;
  // Half-way through an earlier undo the channel is already as it was.
  const undone = before !== undefined && channel?.snsTopicARN === topicBefore;
  if (!ours && !undone) {
    const other = channel?.snsTopicARN;
    return other && before
      ? [
          {
            resource: "delivery channel",
            action: "kept",
            detail: `somebody else has it publish to ${other} now`,
          },
        ]
      : [];
  }
  const recorderSteps = record && recorder ? undoRecorder(recorder, record) : [];
  const goes = recorderSteps.some(({ action }) => action === "delete");
  const stays = recorderSteps.some(({ action }) => action === "kept");
  const channelSteps = channel && ours ? undoChannel(channel, before, record, goes) : [];
  const stop = before && !before.recording && recording && !stays;
  return [
    ...(stop ? [{ resource: "recording", action: "update", detail: "stop" } as const] : []),
    ...channelSteps,
    ...recorderSteps,
  ];
}

function undoChannel(
  channel: ChannelDocument,
  before: ObservedRecording | undefined,
  record: RecordingRecord | undefined,
  recorderGoes: boolean,
): UndoStep[] {
  const resource = "delivery channel" as const;
  const made = before !== undefined && before.channel === undefined;
  const untouched = record?.made?.channel === undefined || sameDocument(channel, record.made.channel);
  if (made && untouched && recorderGoes) return [{ resource, action: "delete", detail: "aec made it" }];
  const { snsTopicARN: _, ...rest } = channel;
  const previous = before?.channel?.snsTopicARN;
  return previous
    ? [
        {
          resource,
          action: "update",
          detail: `publish to ${previous} again`,
          document: { ...rest, snsTopicARN: previous },
        },
      ]
    : [{ resource, action: "update", detail: "publish to no topic", document: rest }];
}

function undoRecorder(recorder: RecorderDocument, record: RecordingRecord): UndoStep[] {
  const resource = "recorder" as const;
  const before = record.before.recorder;
  const made = record.made?.recorder;
  const changed = made !== undefined && !sameGroup(recorder, made);
  if (!before) {
    return changed
      ? [{ resource, action: "kept", detail: "somebody changed what it records since aec made it" }]
      : [{ resource, action: "delete", detail: "aec made it" }];
  }
  if (sameGroup(recorder, before)) return [];
  if (strategyOf(recorder) !== strategyOf(before)) {
    return [{ resource, action: "kept", detail: "somebody changed its strategy since" }];
  }
  const leftAlone = record.made !== undefined && made === undefined;
  if (leftAlone) return [];
  const recordingGroup = withoutAdded(recorder, before, made);
  const document = { ...recorder, recordingGroup };
  return sameGroup(recorder, document)
    ? []
    : [{ resource, action: "update", detail: "record what it did before", document }];
}

/** The present group without the types that `enable` added, or with the exclusions that it lifted. */
function withoutAdded(
  recorder: RecorderDocument,
  before: RecorderDocument,
  made: RecorderDocument | undefined,
): NonNullable<RecorderDocument["recordingGroup"]> {
  const group = recorder.recordingGroup ?? {};
  const excludedBefore = before.recordingGroup?.exclusionByResourceTypes?.resourceTypes;
  if (strategyOf(before) === "EXCLUSION_BY_RESOURCE_TYPES" && excludedBefore) {
    const lifted = excludedBefore.filter(
      (type) => !(made?.recordingGroup?.exclusionByResourceTypes?.resourceTypes ?? []).includes(type),
    );
    const present = group.exclusionByResourceTypes?.resourceTypes ?? [];
    return { ...group, exclusionByResourceTypes: { resourceTypes: [...new Set([...present, ...lifted])] } };
  }
  const had = new Set(before.recordingGroup?.resourceTypes ?? []);
  const added = new Set((made ?? recorder).recordingGroup?.resourceTypes?.filter((type) => !had.has(type)));
  return { ...group, resourceTypes: (group.resourceTypes ?? []).filter((type) => !added.has(type)) };
}

function strategyOf({ recordingGroup }: RecorderDocument): string {
  return recordingGroup?.recordingStrategy?.useOnly ?? (recordingGroup?.allSupported ? "ALL" : "INCLUSION");
}

/** AWS adds empty members to a group that was put without them. */
function sameGroup(one: RecorderDocument, other: RecorderDocument): boolean {
  const types = ({ recordingGroup }: RecorderDocument) => ({
    types: recordingGroup?.resourceTypes?.toSorted() ?? [],
    excluded: recordingGroup?.exclusionByResourceTypes?.resourceTypes?.toSorted() ?? [],
  });
  const all = ({ recordingGroup }: RecorderDocument) => Boolean(recordingGroup?.allSupported);
  return all(one) === all(other) && isDeepStrictEqual(types(one), types(other));
}

/** Whether two documents say the same; members without a value do not count. */
export function sameDocument(one: object | undefined, other: object | undefined): boolean {
  const defined = (fields: object | undefined) =>
    Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined));
  return isDeepStrictEqual(defined(one), defined(other));
}
