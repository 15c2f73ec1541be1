import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../src/config/schema.ts";
import { EXIT } from "../../src/errors.ts";
import { buildProgram } from "../../src/program.ts";
import { testWorld } from "../helpers/aec.ts";
import { fencedBlocks } from "../helpers/markdown.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const pages = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => readFileSync(join(root, "docs", name), "utf8"));
const blocks = fencedBlocks(readme);
const commands = [...blocks, ...pages.flatMap(fencedBlocks)]
  .flatMap(({ body }) => body.replaceAll("\\\n", "").split("\n"))
  .filter((line) => /^aec (?!serve,)/.test(line))
  .map((line) => line.slice(4).replaceAll("'", "").split(/\s+/));

describe("README and docs", () => {
  test.each(commands.filter(([first]) => first !== "--help"))(
    "aec %s … is a command line that the parser takes",
    async (...argv) => {
      const complaints: string[] = [];
      let ran = false;
      const program = buildProgram(testWorld().world, complaints, async () => {
        ran = true;
      });
      await program.parseAsync(argv, { from: "user" });
      expect([complaints, ran]).toEqual([[], true]);
    },
  );

  test("the examples of aec.yml are valid", () => {
    const examples = blocks.filter(({ language }) => language === "yaml");
    expect(examples.length).toBeGreaterThan(1);
    for (const { body } of examples) expect(configSchema.safeParse(parse(body)).error).toBeUndefined();
  });

  test("the exit codes are the program's", () => {
    const listed = [...readme.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
    expect(listed).toEqual(Object.values(EXIT));
  });
});
