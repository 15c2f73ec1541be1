import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fencedBlocks } from "../helpers/markdown.ts";
import { testSite, until } from "../helpers/site.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/ci.md"), "utf8");
const blocks = fencedBlocks(page);
const commands = blocks.flatMap(({ body }) =>
  [...body.matchAll(/(?:^|run: |sh ')aec ([^\n'>]+)/gm)].map(([, line = ""]) => line.trim()),
);

describe("docs/ci.md", () => {
  test("has a recipe of each kind", () => {
    expect(blocks.map(({ language }) => language)).toEqual(["bash", "yaml", "groovy", "bash"]);
    const [workflow] = blocks.filter(({ language }) => language === "yaml");
    expect(parse(workflow?.body ?? "").jobs.refresh.steps).toHaveLength(2);
    expect(commands).toHaveLength(7);
  });

  test("each of its commands runs", async () => {
    const site = await testSite();
    site.group("shop-web-v012", 1);
    await until(() => site.clouddriver.cache.all("auto-scaling-group").length > 0, "the group");
    const ended = await Promise.all(
      commands.map(async (line) => [line, (await site.aec(line.split(/\s+/))).exit] as const),
    );
    // Nothing is set up in this site's AWS: that is what doctor tells.
    expect(ended).toEqual(commands.map((line) => [line, line.startsWith("doctor") ? 1 : 0]));
  });
});
