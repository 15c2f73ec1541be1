import type { Context } from "../context.ts";
import { parseDuration } from "../duration.ts";

/** The agents' interval as `aec.yml` has it, ms; undefined where it says nothing. Throws for what is no duration. */
export function configuredIntervalMs({ settings }: Context): number | undefined {
  const interval = settings.section.polling?.interval;
  return interval === undefined ? undefined : parseDuration(interval, "polling.interval");
}
