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

/** How AWS Config's last publication went. */
export interface LastDelivery {
  status: string;
  at: string | null;
  reason: string | null;
}

/** The AWS Config calls that `aec` makes, in one account and Region. */
export function createConfigService(context: Context, place: Place) {
  const client = watchCalls(new ConfigServiceClient(clientConfig(context, place, "CONFIG_SERVICE")), context);
  return {
    /** The fate of the channel's last publication; null where it cannot be told, as with emulators. */
    async lastDelivery(): Promise<LastDelivery | null> {
      const status = await awsCall("config:DescribeDeliveryChannelStatus", () =>
        client.send(new DescribeDeliveryChannelStatusCommand({})),
      ).catch(() => undefined);
      const stream = status?.DeliveryChannelsStatus?.[0]?.configStreamDeliveryInfo;
      if (!stream?.lastStatus) return null;
      const { lastStatus, lastStatusChangeTime, lastErrorCode, lastErrorMessage } = stream;
      return {
        // AWS's API and its documentation differ in the case.
        status: lastStatus.toUpperCase(),
        at: lastStatusChangeTime?.toISOString() ?? null,
        reason: lastErrorCode ? `${lastErrorCode}: ${lastErrorMessage}` : null,
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
