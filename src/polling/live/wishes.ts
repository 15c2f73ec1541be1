import { z } from "zod";
import { onlyReads } from "../../agents/catalog.ts";
import { matchesGlob } from "../../agents/pattern.ts";

/** Who wishes what `serve` itself decides. */
export const SERVE = "aec serve";

/** How often agents are to run from now on, without a restart of Clouddriver. */
export const wishSchema = z.strictObject({
  /** Glob over the agentType. */
  agents: z.string().min(1).max(500),
  /** Between two starts, ms; null holds the agents altogether. */
  intervalMs: z.number().min(10_000).max(86_400_000).nullable(),
  /** After an attempt that failed, ms; default: the interval. */
  retryMs: z.number().optional(),
  /** End of the wish, ms since the epoch; null: until it is released. */
  until: z.number().nullable(),
  owner: z.string().max(200),
  reason: z.string().max(500),
  /** `20:00-07:00` of the day, in the time zone of `serve`. */
  hours: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, "hours look like 20:00-07:00")
    .optional(),
});
export type Wish = z.infer<typeof wishSchema>;

const THIRTY_DAYS_MS = 30 * 86_400_000;

/** A wish as it is asked for: `serve` counts its life by its own clock. A hold has to have an end. */
export const askedWishSchema = wishSchema
  .omit({ until: true, retryMs: true })
  .extend({ forMs: z.number().positive().max(THIRTY_DAYS_MS, "at most 30 days").nullable() })
  .refine(({ intervalMs, forMs }) => intervalMs !== null || forMs !== null, "a hold needs an end (forMs)");

/** The wish in force for an agent at a time: the last one that matches. Agents that may change AWS have none. */
export function wishFor(agent: string, wishes: readonly Wish[], now: number): Wish | undefined {
  if (!onlyReads(agent)) return undefined;
  return wishes.findLast(
    ({ agents, until, hours }) =>
      (until === null || until > now) &&
      (hours === undefined || isWithin(hours, now)) &&
      matchesGlob(agents, agent),
  );
}

/** Pipelines wait for these: Orca ends most server group stages only after their next pass (facts of its cache stages). */
export const AWAITED = ["ClusterCachingAgent", "LambdaCachingAgent"] as const;

function isWithin(hours: string, now: number): boolean {
  const [from = 0, to = 0] = hours.split("-").map(minutesOf);
  const date = new Date(now);
  const minute = date.getHours() * 60 + date.getMinutes();
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}
