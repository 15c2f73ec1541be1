import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { buildProgram } from "../../src/program.ts";
import { aec, temporaryDirectory, testWorld } from "../helpers/aec.ts";

function home(): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, ".hal", "default", "profiles"), { recursive: true });
  return directory;
}
const install = ["install", "--halyard", "--spinnaker-version", "1.30.1"];

describe("the output contract", () => {
  test("results on stdout, narration on stderr, -q silences narration only", async () => {
    const loud = await aec([...install, "--yes"], { home: home() });
    expect(loud.stdout).toContain("created ");
    expect(loud.stderr).toContain("+spinnaker:");
    const quiet = await aec([...install, "--yes", "-q"], { home: home() });
    expect(quiet.stdout).toContain("created ");
    expect(quiet.stderr).toBe("");
  });

  test("-o json is one document, -o yaml the same one", async () => {
    const json = await aec([...install, "--dry-run", "-o", "json"], { home: home() });
    const yaml = await aec([...install, "--dry-run", "-o", "yaml"], { home: home() });
    expect(Object.keys(parse(yaml.stdout))).toEqual(Object.keys(json.json()));
  });

  test("an error with -o json or -o yaml is a document with code, message and hint", async () => {
    for (const [argv, code] of [
      [["install", "-o", "json"], "no-target"],
      [["install", "--output=yaml"], "no-target"],
      [["nonsense", "-o", "json"], "usage"],
      [["-o", "json"], "no-command"],
    ] as const) {
      const { exit, stdout, stderr } = await aec(argv);
      expect(exit).toBe(2);
      expect(parse(stdout).error.code).toBe(code);
      expect(stderr).toBe("");
    }
  });

  test("colours: on a terminal, unless NO_COLOR or --color never; forced by --color always", async () => {
    const colour = async (argv: string[], options = {}) =>
      (await aec([...install, "--dry-run", ...argv], { home: home(), ...options })).stdout.includes(
        "\u001b[",
      );
    expect(await colour([])).toBe(false);
    expect(await colour([], { tty: true })).toBe(true);
    expect(await colour([], { tty: true, env: { NO_COLOR: "1" } })).toBe(false);
    expect(await colour([], { tty: true, env: { TERM: "dumb" } })).toBe(false);
    expect(await colour(["--color", "never"], { tty: true })).toBe(false);
    expect(await colour(["--color", "always"])).toBe(true);
  });

  test("--no-input fails on a terminal as it does off one", async () => {
    const { exit, stderr } = await aec([...install, "--no-input"], { home: home(), tty: true, answer: true });
    expect(exit).toBe(2);
    expect(stderr).toContain("--yes");
  });

  test.each([
    [["instal"], /Did you mean install/],
    [["install", "--haylard"], /Did you mean --halyard[\s\S]*hint: aec install --help\n/],
    [["install", "--output", "xml"], /Allowed choices are text, json, yaml/],
    [["-q", "--env", "install", "sns", "craete"], /Did you mean create[\s\S]*hint: aec sns --help\n/],
    [
      ["refresh", "--timeout", "soon", "--account", "x", "--clouddriver-url", "http://127.0.0.1:1"],
      /"soon" is not a duration/,
    ],
  ])("wrong usage %j: exit 2 and what was meant", async (argv, message) => {
    const { exit, stderr } = await aec(argv);
    expect(stderr).toMatch(message);
    expect(exit).toBe(2);
  });

  test("a bug is told as one, with its stack and exit 1", async () => {
    const fetch = () => {
      throw new RangeError("unexpected");
    };
    const broken = { fetch: fetch as never, clock: { now: () => fetch(), sleep: async () => {} } as never };
    const { exit, stderr } = await aec(["demo"], broken);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/bug in aec: |error: /);
  });
});

describe("the command tree", () => {
  const leaves = (command: ReturnType<typeof buildProgram>, path = ""): [string, typeof command][] =>
    command.commands.length === 0
      ? [[path, command]]
      : command.commands.flatMap((child) => leaves(child as never, `${path} ${child.name()}`.trim()));
  const all = leaves(buildProgram(testWorld().world, [], async () => {}));

  test.each(all)("aec %s: a description and two examples", async (path) => {
    const { exit, stdout } = await aec([...path.split(" "), "--help"]);
    expect(exit).toBe(0);
    expect(stdout.split("Examples:")[1]?.match(/^ {2}aec /gm)?.length ?? 0).toBeGreaterThanOrEqual(2);
  });

  test.each(all)("the examples of aec %s are accepted by the parser", async (path) => {
    const { stdout } = await aec([...path.split(" "), "--help"]);
    for (const [, example = ""] of stdout.matchAll(/^ {2}aec (.+)$/gm)) {
      const parsed: string[] = [];
      const program = buildProgram(testWorld().world, parsed, async () => {});
      await program.parseAsync(example.split(" "), { from: "user" });
      expect(parsed).toEqual([]);
    }
  });
});
