import type { ConfigService } from "../aws/config-service.ts";
import type { ObservedRecording } from "./plan.ts";

/** Reads recorder, its status and the delivery channel, side by side. */
export async function observeRecording(config: ConfigService): Promise<ObservedRecording> {
  const [recorder, recording, channel] = await Promise.all([
    config.recorder(),
    config.recording(),
    config.channel(),
  ]);
  return { recorder, recording, channel };
}
