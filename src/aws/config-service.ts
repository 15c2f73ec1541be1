import { ConfigServiceClient, DescribeDeliveryChannelsCommand } from "@aws-sdk/client-config-service";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";

/** The topic that AWS Config's delivery channel of the Region publishes to; null without channel or topic. */
export async function deliveryChannelTopic(context: Context, region: string): Promise<string | null> {
  const client = watchCalls(
    new ConfigServiceClient(clientConfig(context, region, "CONFIG_SERVICE")),
    context,
  );
  const { DeliveryChannels } = await awsCall("config:DescribeDeliveryChannels", () =>
    client.send(new DescribeDeliveryChannelsCommand({})),
  );
  return DeliveryChannels?.[0]?.snsTopicARN ?? null;
}
