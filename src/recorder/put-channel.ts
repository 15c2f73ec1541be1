import type { ConfigService } from "../aws/config-service.ts";
import { failure } from "../errors.ts";
import type { ChannelDocument } from "./plan.ts";
import { sameDocument } from "./undo.ts";

/** Puts the delivery channel and reads it back: a put may drop fields, or keep those that were left out. */
export async function putChannel(config: ConfigService, document: ChannelDocument): Promise<void> {
  await config.putChannel(document);
  const found = await config.channel();
  if (sameDocument(found, document)) return;
  throw failure("channel-differs", "the delivery channel is not what was put", {
    detail: `put ${JSON.stringify(document)}, found ${JSON.stringify(found)}`,
    hint: "aws configservice put-delivery-channel can put what you want there",
  });
}
