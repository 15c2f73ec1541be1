import {
  ConfigServiceClient,
  type ConfigurationRecorder,
  DeleteConfigurationRecorderCommand,
  DeleteDeliveryChannelCommand,
  type DeliveryChannel,
  DescribeConfigurationRecorderStatusCommand,
  DescribeConfigurationRecordersCommand,
  DescribeDeliveryChannelStatusCommand,
  DescribeDeliveryChannelsCommand,
  PutConfigurationRecorderCommand,
  PutDeliveryChannelCommand,
  StartConfigurationRecorderCommand,
  StopConfigurationRecorderCommand,
} from "@aws-sdk/client-config-service";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

/** Where AWS Config publishes, and how that went last. */
export interface ConfigDelivery {
  topicArn: string | null;
  last: { status: string; at: string | null; reason: string | null } | null;
}

/** The AWS Config calls that `aec` makes, in one account and Region. */
export function createConfigService(context: Context, place: Place) {
  const client = watchCalls(new ConfigServiceClient(clientConfig(context, place, "CONFIG_SERVICE")), context);
  return {
    /** The channel's topic and the fate of its last publication; emulators know the channel alone. */
    async delivery(): Promise<ConfigDelivery> {
      const [channel, status] = await Promise.all([
        this.channel(),
        awsCall("config:DescribeDeliveryChannelStatus", () =>
          client.send(new DescribeDeliveryChannelStatusCommand({})),
        ).catch(() => undefined),
      ]);
      const stream = status?.DeliveryChannelsStatus?.[0]?.configStreamDeliveryInfo;
      const topicArn = typeof channel?.snsTopicARN === "string" ? channel.snsTopicARN : null;
      if (!stream?.lastStatus) return { topicArn, last: null };
      const { lastStatus, lastStatusChangeTime, lastErrorCode, lastErrorMessage } = stream;
      return {
        topicArn,
        last: {
          // AWS's API and its documentation differ in the case.
          status: lastStatus.toUpperCase(),
          at: lastStatusChangeTime?.toISOString() ?? null,
          reason: lastErrorCode ? `${lastErrorCode}: ${lastErrorMessage}` : null,
        },
      };
    },
    /** The one delivery channel of the Region, with all its fields. */
    channel: () =>
      awsCall("config:DescribeDeliveryChannels", async () => {
        const { DeliveryChannels } = await client.send(new DescribeDeliveryChannelsCommand({}));
        return DeliveryChannels?.[0] as Record<string, unknown> | undefined;
      }),
    /** The one customer-managed recorder of the Region. */
    recorder: () =>
      awsCall("config:DescribeConfigurationRecorders", async () => {
        const { ConfigurationRecorders } = await client.send(new DescribeConfigurationRecordersCommand({}));
        return ConfigurationRecorders?.[0];
      }),
    recording: () =>
      awsCall("config:DescribeConfigurationRecorderStatus", async () => {
        const { ConfigurationRecordersStatus } = await client.send(
          new DescribeConfigurationRecorderStatusCommand({}),
        );
        return ConfigurationRecordersStatus?.[0]?.recording === true;
      }),
    putRecorder: (recorder: object) =>
      awsCall("config:PutConfigurationRecorder", () =>
        client.send(
          new PutConfigurationRecorderCommand({ ConfigurationRecorder: recorder as ConfigurationRecorder }),
        ),
      ),
    putChannel: (channel: object) =>
      awsCall("config:PutDeliveryChannel", () =>
        client.send(new PutDeliveryChannelCommand({ DeliveryChannel: channel as DeliveryChannel })),
      ),
    start: (name: string) =>
      awsCall("config:StartConfigurationRecorder", () =>
        client.send(new StartConfigurationRecorderCommand({ ConfigurationRecorderName: name })),
      ),
    stop: (name: string) =>
      awsCall("config:StopConfigurationRecorder", () =>
        client.send(new StopConfigurationRecorderCommand({ ConfigurationRecorderName: name })),
      ),
    deleteRecorder: (name: string) =>
      awsCall("config:DeleteConfigurationRecorder", () =>
        client.send(new DeleteConfigurationRecorderCommand({ ConfigurationRecorderName: name })),
      ),
    deleteChannel: (name: string) =>
      awsCall("config:DeleteDeliveryChannel", () =>
        client.send(new DeleteDeliveryChannelCommand({ DeliveryChannelName: name })),
      ),
  };
}

export type ConfigService = ReturnType<typeof createConfigService>;
