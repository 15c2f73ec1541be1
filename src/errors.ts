/** Exit codes of `aec`, the same for every command; `aec help exit-codes` prints them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  differences: 3,
  credentials: 4,
  partial: 5,
  timeout: 8,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface Explanation {
  /** What lies behind the message: an answer's text, a position, a list of near misses. */
  detail?: string | undefined;
  /** The next command or the place to look at. */
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * A failure that `aec` foresees: bad input, a denied call, a Clouddriver that is down.
 * Everything else that is thrown is a bug and is shown with its stack.
 */
export class ExpectedError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(exit: ExitCode, code: string, message: string, explanation: Explanation = {}) {
    super(message, { cause: explanation.cause });
    this.name = "ExpectedError";
    this.code = code;
    this.exit = exit;
    this.detail = explanation.detail;
    this.hint = explanation.hint;
  }
}

/** Wrong arguments, configuration or files: exit 2. */
export function usageError(code: string, message: string, explanation?: Explanation): ExpectedError {
  return new ExpectedError(EXIT.usage, code, message, explanation);
}

/** The work could not be done: exit 1. */
export function failure(code: string, message: string, explanation?: Explanation): ExpectedError {
  return new ExpectedError(EXIT.failed, code, message, explanation);
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
