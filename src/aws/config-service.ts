import {
  ConfigServiceClient,
  type ConfigurationRecorder,
  DeleteConfigurationRecorderCommand,
  DeleteDeliveryChannelCommand,
  type DeliveryChannel,
  DescribeConfigurationRecorderStatusCommand,
  DescribeConfigurationRecordersCommand,
  DescribeDeliveryChannelsCommand,
  PutConfigurationRecorderCommand,
  PutDeliveryChannelCommand,
  StartConfigurationRecorderCommand,
  StopConfigurationRecorderCommand,
} from "@aws-sdk/client-config-service";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";

/** The AWS Config calls that `aec` makes, in one Region. */
export function createConfigService(context: Context, region: string) {
  const client = watchCalls(
    new ConfigServiceClient(clientConfig(context, region, "CONFIG_SERVICE")),
    context,
  );
  return {
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
