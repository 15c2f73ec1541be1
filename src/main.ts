import { EXIT, ExpectedError, messageOf } from "./errors.ts";
import { buildProgram, CommanderError } from "./program.ts";
import { hideSecrets } from "./secrets.ts";
import type { World } from "./world.ts";

/** Runs one command line (`argv` without node and script) and returns its exit code; never throws, never exits. */
export async function main(argv: readonly string[], world: World): Promise<number> {
  let exit: number = EXIT.ok;
  const complaints: string[] = [];
  const program = buildProgram(world, complaints, async (options, work) => {
    const { createContext } = await import("./context.ts");
    const context = await createContext(world, options, main);
    try {
      const result = await work(context);
      if (!result) return;
      await context.out.result(result);
      exit = result.exit ?? EXIT.ok;
    } finally {
      context.close();
    }
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const expected = toExpected(error, { complaints, world, command: commandIn(argv, program) });
    return report(expected, argv, world);
  }
}

interface Command {
  name(): string;
  readonly commands: readonly Command[];
  readonly options: readonly { short?: string; long?: string; required: boolean }[];
}

/** As far as a command line that may be wrong names one: `aec sns create`. */
function commandIn(argv: readonly string[], program: Command): string {
  let command = program;
  const path = [program.name()];
  for (const [index, word] of argv.entries()) {
    const before = argv[index - 1] ?? "";
    if (program.options.some(({ short, long, required }) => required && [short, long].includes(before)))
      continue;
    const next = command.commands.find((one) => one.name() === word);
    if (!next) continue;
    path.push(word);
    command = next;
  }
  return path.join(" ");
}

function toExpected(
  error: unknown,
  { complaints, world, command }: { complaints: readonly string[]; world: World; command: string },
): ExpectedError {
  // What fails because all else was stopped is no failure of its own.
  if (world.signal.aborted) {
    const detail = error instanceof ExpectedError ? error.message : undefined;
    return new ExpectedError(EXIT.interrupted, "interrupted", "interrupted", { detail });
  }
  if (error instanceof ExpectedError) return error;
  if (error instanceof CommanderError) {
    if (error.code === "commander.help")
      return new ExpectedError(EXIT.usage, "no-command", complaints.join(""));
    const message = complaints.join("").trim() || error.message;
    return new ExpectedError(EXIT.usage, "usage", message.replace(/^error: /, ""), {
      hint: `${command} --help`,
    });
  }
  return new ExpectedError(EXIT.failed, "bug", `bug in aec: ${messageOf(error)}`, {
    detail: error instanceof Error ? error.stack : undefined,
    hint: "please report it with the command line and this text",
  });
}

function report(error: ExpectedError, argv: readonly string[], world: World): number {
  const { code, hint } = error;
  const message = hideSecrets(error.message);
  const detail = error.detail === undefined ? undefined : hideSecrets(error.detail);
  const format = requestedFormat(argv);
  if (format === "text") {
    world.stderr.write(
      `${[
        code === "no-command" ? message.trimEnd() : `error: ${message}`,
        ...(detail ? [detail.replaceAll(/^/gm, "  ")] : []),
        ...(hint ? [`hint: ${hint}`] : []),
      ].join("\n")}\n`,
    );
  } else {
    // JSON is YAML too, so that an error needs no serialiser.
    world.stdout.write(`${JSON.stringify({ error: { code, message, detail, hint } })}\n`);
  }
  return error.exit;
}

/** The `-o` of a command line that may be too wrong to be parsed. */
function requestedFormat(argv: readonly string[]): "text" | "json" | "yaml" {
  const text = argv.join(" ");
  const match = /(?:^|\s)(?:-o|--output)[ =]?(json|yaml)(?=\s|$)/.exec(text);
  return (match?.[1] as "json" | "yaml" | undefined) ?? "text";
}
