import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { arn, arnRegion } from "./arn.ts";
import { changeNotification, isRecordable, resourceTypeOf } from "./config-items.ts";
import { awsError, isAwsError } from "./error.ts";
import { type Input, optionalText, record, text, texts } from "./input.ts";
import type { Change, Inventory } from "./inventory.ts";
import { jsonProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";
import type { SnsModel } from "./sns/model.ts";

/** AWS Config in process. */
export interface ConfigModel {
  /** From a change to its notification, ms of the sandbox's clock; AWS says "within minutes". */
  delayMs: number;
  /** Starts recording everything in `region` and sends it to `topicArn`, as a working set-up would. */
  enable(region: string, topicArn: string): void;
  /** The Region's recorder, as stored. */
  recorder(region: string): Recorder | undefined;
}

interface Recorder {
  name: string;
  [field: string]: unknown;
}
interface RegionState {
  recorder?: Recorder;
  channel?: Input & { name: string };
  recording: boolean;
  startedAt?: number;
  stoppedAt?: number;
  /** How the last notification went; the service answers in capitals, whatever its model says (AWS CLI examples). */
  stream?: { lastStatus: string; lastErrorCode?: string; lastErrorMessage?: string; at: number };
}

const EVERYTHING = {
  allSupported: true,
  includeGlobalResourceTypes: false,
  resourceTypes: [],
  exclusionByResourceTypes: { resourceTypes: [] },
  recordingStrategy: { useOnly: "ALL_SUPPORTED_RESOURCE_TYPES" },
};
const CONTINUOUS = { recordingFrequency: "CONTINUOUS", recordingModeOverrides: [] };
const CHANNEL_FIELDS = ["name", "s3BucketName", "s3KeyPrefix", "s3KmsKeyArn", "snsTopicARN"];

/** What Config needs from the rest of the sandbox. */
export interface ConfigWorld {
  clock: Clock;
  account: string;
  inventory: Inventory;
  sns: SnsModel;
  closing: AbortSignal;
  background(task: () => Promise<void>): void;
}

/** Config in every Region, recording nowhere yet. */
export function createConfig(world: ConfigWorld): { model: ConfigModel; service: Service } {
  const { clock, account, sns } = world;
  const regions = new Map<string, RegionState>();
  let lastStateId = 0;

  const stateOf = (region: string): RegionState => {
    const found = regions.get(region) ?? { recording: false };
    regions.set(region, found);
    return found;
  };

  const putRecorder = (region: string, given: Input): Recorder => {
    const name = optionalText(given, "name") ?? "default";
    const path = `configuration-recorder/${name}/${randomUUID().slice(0, 8)}`;
    const recorder = {
      arn: stateOf(region).recorder?.arn ?? arn("config", region, account, path),
      recordingScope: "PAID",
      name,
      roleARN: optionalText(given, "roleARN"),
      recordingGroup: given.recordingGroup ?? EVERYTHING,
      recordingMode: given.recordingMode ?? CONTINUOUS,
    };
    stateOf(region).recorder = recorder;
    return recorder;
  };

  async function notify(change: Change): Promise<void> {
    if (model.delayMs > 0) await clock.sleep(model.delayMs, world.closing);
    const { region } = change;
    const state = stateOf(region);
    const topicArn = optionalText(state.channel ?? {}, "snsTopicARN");
    if (!topicArn) return;
    lastStateId = Math.max(lastStateId + 1, clock.now());
    const at = clock.now();
    const capture = { account, stateId: lastStateId, capturedAt: new Date(at).toISOString() };
    const { subject, message } = changeNotification(change, capture);
    try {
      sns.publishAs({
        topicArn,
        service: "config.amazonaws.com",
        sourceAccount: account,
        sourceArn: arn("config", region, account, "*"),
        subject,
        message: JSON.stringify(message),
      });
      state.stream = { lastStatus: "SUCCESS", at };
    } catch (error) {
      if (!isAwsError(error)) throw error;
      state.stream = {
        lastStatus: "FAILURE",
        lastErrorCode: error.code,
        lastErrorMessage: error.message,
        at,
      };
    }
  }

  world.inventory.onChange((change) => {
    const { recorder, recording, channel } = stateOf(change.region);
    if (!isRecordable(change.kind)) return;
    if (recorder && recording && channel && records(recorder, change)) world.background(() => notify(change));
  });

  const model: ConfigModel = {
    delayMs: 0,
    recorder: (region) => stateOf(region).recorder,
    enable(region, topicArn) {
      const state = stateOf(region);
      putRecorder(region, { roleARN: serviceRole(account) });
      state.channel = { name: "default", s3BucketName: `config-bucket-${account}`, snsTopicARN: topicArn };
      state.recording = true;
      state.startedAt = clock.now();
    },
  };

  const recorderNamed = (region: string, name: string): RegionState => {
    const state = stateOf(region);
    if (state.recorder?.name !== name) throw noSuchRecorder(name);
    return state;
  };
  const recorderOf = (region: string, input: Input): RegionState => {
    const state = stateOf(region);
    for (const name of texts(input, "ConfigurationRecorderNames")) {
      if (name !== state.recorder?.name) throw noSuchRecorder(name);
    }
    return state;
  };
  const channelNamed = (region: string, name: string): RegionState => {
    const state = stateOf(region);
    if (state.channel?.name === name) return state;
    throw awsError(
      "NoSuchDeliveryChannelException",
      `Cannot find delivery channel with specified name '${name}'.`,
    );
  };
  const channelOf = (region: string, input: Input): RegionState => {
    const state = stateOf(region);
    for (const name of texts(input, "DeliveryChannelNames")) {
      if (name === state.channel?.name) continue;
      throw awsError(
        "NoSuchDeliveryChannelException",
        `Cannot find delivery channel with specified name '${name}'.`,
      );
    }
    return state;
  };

  const service: Service = {
    protocol: jsonProtocol("1.1"),
    actions: {
      DescribeConfigurationRecorders: ({ region, input }) => {
        const { recorder } = recorderOf(region, input);
        return { ConfigurationRecorders: recorder ? [recorder] : [] };
      },
      DescribeConfigurationRecorderStatus: ({ region, input }) => {
        const { recorder, recording, startedAt, stoppedAt, stream } = recorderOf(region, input);
        const status = {
          name: recorder?.name,
          recording,
          lastStartTime: seconds(startedAt),
          lastStopTime: seconds(stoppedAt),
          lastStatus: recording ? (stream ? "SUCCESS" : "PENDING") : undefined,
          lastStatusChangeTime: seconds(stream?.at ?? startedAt),
        };
        return { ConfigurationRecordersStatus: recorder ? [status] : [] };
      },
      DescribeDeliveryChannels: ({ region, input }) => {
        const { channel } = channelOf(region, input);
        return { DeliveryChannels: channel ? [channel] : [] };
      },
      DescribeDeliveryChannelStatus: ({ region, input }) => {
        const { channel, stream } = channelOf(region, input);
        const { at, ...last } = stream ?? { at: undefined };
        const delivery = channel?.snsTopicARN ? last : { lastStatus: "NOT_APPLICABLE" };
        const configStreamDeliveryInfo = { ...delivery, lastStatusChangeTime: seconds(at) };
        const status = {
          name: channel?.name,
          configSnapshotDeliveryInfo: {},
          configHistoryDeliveryInfo: {},
          configStreamDeliveryInfo,
        };
        return { DeliveryChannelsStatus: channel ? [status] : [] };
      },
      PutConfigurationRecorder: ({ region, input }) => {
        const given = record(input, "ConfigurationRecorder");
        const name = optionalText(given, "name") ?? "default";
        const { recorder } = stateOf(region);
        if (recorder && recorder.name !== name) {
          throw awsError(
            "MaxNumberOfConfigurationRecordersExceededException",
            `Failed to put configuration recorder '${name}' because you have reached the limit for the ` +
              "maximum number of customer managed configuration recorders: 1.",
          );
        }
        if (!/^arn:[^:]+:iam::\d{12}:role\//.test(optionalText(given, "roleARN") ?? "")) {
          throw awsError("InvalidRoleException", "You must provide a valid role ARN.");
        }
        const group = record(given, "recordingGroup");
        if (group.allSupported === true && texts(group, "resourceTypes").length > 0) {
          throw awsError("InvalidRecordingGroupException", "The recording group provided is not valid");
        }
        putRecorder(region, given);
      },
      PutDeliveryChannel: ({ region, input }) => {
        const given = record(input, "DeliveryChannel");
        const name = optionalText(given, "name") ?? "default";
        const state = stateOf(region);
        if (!state.recorder) {
          throw awsError(
            "NoAvailableConfigurationRecorderException",
            "Configuration recorder is not available to put delivery channel.",
          );
        }
        if (state.channel && state.channel.name !== name) {
          throw awsError(
            "MaxNumberOfDeliveryChannelsExceededException",
            `Failed to put delivery channel '${name}' because the maximum number of delivery channels: 1 is reached.`,
          );
        }
        if (!optionalText(given, "s3BucketName")) {
          throw awsError("NoSuchBucketException", "Cannot find a S3 bucket with an empty bucket name.");
        }
        const topicArn = optionalText(given, "snsTopicARN");
        if (topicArn && (arnRegion(topicArn) !== region || !sns.topics.has(topicArn))) {
          throw awsError("InvalidSNSTopicARNException", `The sns topic arn '${topicArn}' is not valid.`);
        }
        const kept = [...CHANNEL_FIELDS, "configSnapshotDeliveryProperties"].flatMap((field) =>
          given[field] === undefined || given[field] === "" ? [] : [[field, given[field]] as const],
        );
        state.channel = { ...Object.fromEntries(kept), name };
        delete state.stream;
      },
      StartConfigurationRecorder: ({ region, input }) => {
        const state = recorderNamed(region, text(input, "ConfigurationRecorderName"));
        if (!state.channel) {
          throw awsError(
            "NoAvailableDeliveryChannelException",
            "Delivery channel is not available to start configuration recorder.",
          );
        }
        state.recording = true;
        state.startedAt = clock.now();
      },
      StopConfigurationRecorder: ({ region, input }) => {
        const state = recorderNamed(region, text(input, "ConfigurationRecorderName"));
        state.recording = false;
        state.stoppedAt = clock.now();
      },
      DeleteDeliveryChannel: ({ region, input }) => {
        const state = channelNamed(region, text(input, "DeliveryChannelName"));
        if (state.recording) {
          throw awsError(
            "LastDeliveryChannelDeleteFailedException",
            "Failed to delete last specified delivery channel, because there is a running configuration recorder.",
          );
        }
        delete state.channel;
      },
      DeleteConfigurationRecorder: ({ region, input }) => {
        const state = recorderNamed(region, text(input, "ConfigurationRecorderName"));
        delete state.recorder;
        state.recording = false;
      },
    },
  };
  return { model, service };
}

/** Whether the recording group covers the changed resource's type. */
function records(recorder: Recorder, change: Change): boolean {
  const group = record(recorder, "recordingGroup");
  const resourceType = resourceTypeOf(change);
  const strategy = optionalText(record(group, "recordingStrategy"), "useOnly");
  const excluded = texts(record(group, "exclusionByResourceTypes"), "resourceTypes");
  if (strategy === "EXCLUSION_BY_RESOURCE_TYPES") return !excluded.includes(resourceType);
  return group.allSupported === true || texts(group, "resourceTypes").includes(resourceType);
}

function noSuchRecorder(name: string) {
  return awsError(
    "NoSuchConfigurationRecorderException",
    `Cannot find configuration recorder with the specified name '${name}'.`,
  );
}

function serviceRole(account: string): string {
  return `arn:aws:iam::${account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`;
}

/** JSON 1.1 timestamps are seconds since the epoch. */
function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
