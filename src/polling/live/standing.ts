import type { Context } from "../../context.ts";
import { parseDuration } from "../../duration.ts";
import { usageError } from "../../errors.ts";
import { type Wish, wishSchema } from "./wishes.ts";

/** `polling.rules` of `aec.yml`. Throws a usage error for an interval or hours that cannot be. */
export function standingWishes({ settings }: Context): Wish[] {
  return (settings.section.polling?.rules ?? []).map(({ agents, interval, hours }) => {
    const parsed = wishSchema.safeParse({
      agents,
      intervalMs: parseDuration(interval, "polling.rules"),
      until: null,
      owner: "aec.yml",
      reason: "polling.rules",
      ...(hours !== undefined && { hours }),
    });
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw usageError("bad-rule", `polling.rules of "${agents}": ${issue?.message}`, {
      hint: 'such as { agents: "staging/**", interval: 10m, hours: "20:00-07:00" }; from 10s to 24h',
    });
  });
}
