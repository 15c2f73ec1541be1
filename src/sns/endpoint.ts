import type { World } from "../world.ts";

/** An SNS endpoint that was explicitly configured, as the AWS SDK reads it; undefined: AWS's own. */
export function snsEndpoint({ env }: Pick<World, "env">): string | undefined {
  return env.AWS_ENDPOINT_URL_SNS ?? env.AWS_ENDPOINT_URL;
}
