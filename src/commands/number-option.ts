import { usageError } from "../errors.ts";

interface Bounds {
  least: number;
  most: number;
  /** No fractions. */
  whole?: boolean;
}

/** The number of an option. Throws a usage error for what is none, or outside the bounds. */
export function numberOption(name: string, text: string, { least, most, whole }: Bounds): number {
  const value = Number(text);
  const fits = text.trim() !== "" && value >= least && value <= most;
  if (fits && (!whole || Number.isInteger(value))) return value;
  throw usageError(
    "bad-number",
    `${name}: "${text}" is not a ${whole ? "whole " : ""}number from ${least} to ${most}`,
  );
}
