import { usageError } from "./errors.ts";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of `500ms`, `30s`, `5m` or `2h`; throws a usage error that names `what`. */
export function parseDuration(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (!match) {
    throw usageError("bad-duration", `${what}: "${text}" is not a duration`, {
      hint: "write a number and a unit, such as 500ms, 30s, 5m or 2h",
    });
  }
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

/** The shortest exact form, such as `90s`, `5m` or `250ms`. */
export function formatDuration(ms: number): string {
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  if (ms >= 1_000) return `${Number((ms / 1_000).toFixed(1))}s`;
  return `${Math.round(ms)}ms`;
}
