import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { systemClock } from "../../src/clock.ts";
import { main } from "../../src/main.ts";
import type { World } from "../../src/world.ts";

export interface Outcome {
  exit: number;
  stdout: string;
  stderr: string;
  /** stdout as one JSON document. */
  json<T = Record<string, unknown>>(): T;
}

export interface WorldOptions extends Partial<Omit<World, "stdout" | "stderr">> {
  /** Both ends are a terminal. */
  tty?: boolean;
  /** What is piped in. */
  input?: string;
  /** Answers of the person at the terminal. */
  answer?: boolean;
  /** What the person types when asked for text, in that order. */
  typed?: string[];
}

/** A fresh directory that stands for HOME, the working directory or a Halyard directory. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), "aec-test-"));
}

/** A world of its own: empty environment, fresh HOME, output kept. */
export function testWorld(options: WorldOptions = {}) {
  const home = options.home ?? temporaryDirectory();
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    isTTY: options.tty ?? false,
    columns: 100,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const world: World = {
    env: {},
    cwd: home,
    home,
    clock: systemClock(),
    fetch: globalThis.fetch,
    lookup: async () => [{ address: "127.0.0.1", family: 4 }],
    signal: new AbortController().signal,
    prompter: {
      confirm: async () => {
        if (options.answer === undefined) throw new Error("asked, and no answer was given");
        return options.answer;
      },
      ask: async () => {
        const typed = options.typed?.shift();
        if (typed === undefined) throw new Error("asked, and nothing was typed");
        return typed;
      },
    },
    ...options,
    stdin: Object.assign(Readable.from(options.input === undefined ? [] : [options.input]), {
      isTTY: options.tty ?? false,
    }),
    stdout: stream("stdout"),
    stderr: stream("stderr"),
  };
  return { world, written };
}

/** Runs one command line in process. */
export async function aec(argv: readonly string[], options: WorldOptions = {}): Promise<Outcome> {
  const { world, written } = testWorld(options);
  const exit = await main(argv, world);
  return { exit, ...written, json: <T>() => JSON.parse(written.stdout) as T };
}
