import { percentile } from "../../src/percentile.ts";

/** Not at all where the time is over. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, ms)));

export const seconds = (ms: number) => (ms / 1_000).toFixed(1);

/** `1.7 / 2.5 / 2.6`: the half, 95 of 100 and all of them took no longer, s; what never came took for ever. */
export function spread(values: readonly (number | undefined)[]): string {
  const known = values.map((value) => value ?? Number.POSITIVE_INFINITY);
  return [0.5, 0.95, 1].map((share) => seconds(percentile(known, share) ?? Number.NaN)).join(" / ");
}
