import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandUnknownOpts } from "commander";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/program.ts";
import { testWorld } from "../helpers/aec.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/side-effects.md"), "utf8");
const rows = [...page.matchAll(/^\| `([^`]+)` \|.*\|(.*)\|$/gm)].map(([, command = "", asks = ""]) => ({
  command,
  asks: asks.trim() === "yes",
}));

function leaves(
  command: CommandUnknownOpts,
  path: readonly string[] = [],
): { path: string; asks: boolean }[] {
  if (command.commands.length === 0)
    return [{ path: path.join(" "), asks: command.options.some(({ long }) => long === "--dry-run") }];
  return command.commands
    .filter((one) => one.name() !== "help")
    .flatMap((one) => leaves(one, [...path, one.name()]));
}
/** What they do is undone by the next of them, or by itself. */
const UNASKED = new Set(["agents run", "polling hold", "polling release"]);
const commands = leaves(buildProgram(testWorld().world, [], async () => {}));

describe("docs/side-effects.md", () => {
  test("tells of every command, and of none that is not there", () => {
    expect(rows.map(({ command }) => command).toSorted()).toEqual(
      commands.map(({ path }) => path).toSorted(),
    );
  });

  test.each(rows)("$command: asks where there is something to look at first", ({ command, asks }) => {
    const found = commands.find(({ path }) => path === command);
    expect(asks).toBe((found?.asks ?? false) && !UNASKED.has(command));
  });
});
