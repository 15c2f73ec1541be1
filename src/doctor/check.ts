import { ExpectedError } from "../errors.ts";

/** One thing that `aec doctor` looked at. */
export interface Check {
  /** `topic.policy`, `recorder`: stable, for scripts. */
  id: string;
  result: "ok" | "warning" | "failure" | "skipped";
  reason: string;
  /** What was seen, in the words of whoever said it. */
  evidence?: string | undefined;
  /** The command or the place that mends it. */
  fix?: string | undefined;
  /** What `--fix` runs, where that loses nothing and costs nothing. */
  repair?: Repair | undefined;
  accountId?: string;
  region?: string;
}

/** A command of `aec` with the options that it needs. */
export interface Repair {
  command: "sns create" | "events enable" | "agents free" | "sns redrive";
  regions?: string[] | undefined;
  /** Names of `aec.yml`. */
  accounts?: string[] | undefined;
  rules?: string[] | undefined;
}

export function ok(id: string, reason: string, evidence?: string): Check {
  return { id, result: "ok", reason, evidence };
}

export function skipped(id: string, reason: string, fix?: string): Check {
  return { id, result: "skipped", reason, fix };
}

/** What was thrown as a check that fails; throws it again where it is a bug. */
export function failed(id: string, thrown: unknown): Check {
  if (!(thrown instanceof ExpectedError)) throw thrown;
  const { message, detail, hint } = thrown;
  return { id, result: "failure", reason: message, evidence: detail, fix: hint };
}
