import { homedir } from "node:os";
import { type Clock, systemClock } from "./clock.ts";

/** A stream that results or narration go to. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Asks a person; only called when both ends are a terminal. */
export interface Prompter {
  confirm(question: string): Promise<boolean>;
  /** A line of text, trimmed; empty where nothing was typed. */
  ask(question: string): Promise<string>;
}

/** Everything outside the process that a command may touch; the file system is real everywhere. */
export interface World {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  home: string;
  stdin: { readonly isTTY?: boolean | undefined } & AsyncIterable<unknown>;
  stdout: OutputStream;
  stderr: OutputStream;
  clock: Clock;
  fetch: typeof fetch;
  /** All addresses of a host name. Rejects for one that is not known. */
  lookup(hostname: string): Promise<{ address: string; family: number }[]>;
  prompter: Prompter;
  /** Aborted by Ctrl-C and by SIGTERM. */
  signal: AbortSignal;
}

/** The world of the running process. The first SIGINT or SIGTERM aborts `signal`, a second one ends at once. */
export function processWorld(): World {
  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      interruption.abort(new DOMException(name, "AbortError"));
      process.once(name, () => process.exit(130));
    });
  }
  // The reader of a pipe may be gone (aec … | head -1): nothing is left to be said then.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.stderr.write(`error: cannot write the result: ${error.message}\n`);
    process.exit(error.code === "EPIPE" ? process.exitCode : 1);
  });
  process.stderr.on("error", () => {});
  return {
    env: process.env,
    cwd: process.cwd(),
    home: process.env.HOME || homedir(),
    // Touching process.stdin opens it, which --help has no need of.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock(),
    fetch: globalThis.fetch,
    lookup: async (hostname) => (await import("node:dns/promises")).lookup(hostname, { all: true }),
    prompter: terminalPrompter((reason) => interruption.abort(reason)),
    signal: interruption.signal,
  };
}

/** Asks on stderr, like all narration: stdout may be a pipe. */
function terminalPrompter(interrupt: (reason: unknown) => void): Prompter {
  const answered = async <T>(question: { type: "confirm" | "input"; message: string }): Promise<T> => {
    const { default: inquirer } = await import("inquirer");
    try {
      const ask = inquirer.createPromptModule({ output: process.stderr });
      const { answer } = (await ask([
        question.type === "confirm"
          ? { ...question, type: "confirm", name: "answer", default: false }
          : { ...question, type: "input", name: "answer" },
      ])) as { answer: T };
      return answer;
    } catch (error) {
      // Ctrl-C and Ctrl-D reach the prompt as keys, not as signals.
      if (error instanceof Error && error.name === "ExitPromptError") interrupt(error);
      throw error;
    }
  };
  return {
    confirm: (message) => answered<boolean>({ type: "confirm", message }),
    ask: async (message) => (await answered<string>({ type: "input", message })).trim(),
  };
}
