import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

interface Compat {
  trains: {
    train: string;
    distribution: string;
    plugin: boolean;
    serve: boolean;
    loads: boolean;
    missing: string[];
  }[];
}
const compat = async (...argv: string[]) => {
  const outcome = await aec(["compat", "-o", "json", ...argv]);
  return { ...outcome, trains: outcome.exit === 0 ? outcome.json<Compat>().trains : [] };
};

describe("compat", () => {
  test("the plugin's matrix is the vendor's; aec itself works everywhere", async () => {
    const { trains } = await compat();
    expect(trains.filter(({ plugin }) => plugin).map(({ train }) => train)).toEqual([
      "1.28",
      "1.29",
      "1.30",
      "1.31",
      "2.28",
      "2.30",
      "2.31",
    ]);
    expect(trains.every(({ serve }) => serve)).toBe(true);
  });

  test.each([
    ["1.30.4", "1.30", true],
    ["1.32.0", "1.32", false],
    ["2025.1.0", "2025.1", false],
    ["2.31.x", "2.31", true],
    ["v1.28.6", "1.28", true],
  ])("%s is of train %s", async (version, train, plugin) => {
    expect((await compat(version)).trains).toEqual([expect.objectContaining({ train, plugin })]);
  });

  test.each(["branch:master", "1.99.0", "nonsense"])("%s is not known: exit 2", async (version) => {
    const { exit, stdout } = await compat(version);
    expect(exit).toBe(2);
    expect(stdout).toContain("train-unknown");
  });

  test("install guards by the same data", async () => {
    const outcome = await aec(["install", "--print", "--spinnaker-version", "2.29.0"]);
    expect(outcome.exit).toBe(2);
  });
});

describe("compat --plugin", () => {
  /** A class file as far as a reader of its constant pool goes. */
  const classFile = (...names: string[]) =>
    Buffer.from(
      `\u00ca\u00fe\u00ba\u00be${names.map((name) => `\u0001${name}`).join("\u0007")}\u0000`,
      "latin1",
    );
  const bundle = (files: Record<string, Uint8Array>) => {
    const path = join(temporaryDirectory(), "plugin.zip");
    writeFileSync(path, zipSync({ "clouddriver.zip": zipSync(files) }));
    return path;
  };

  test("names the trains on which its classes are gone, nested archives included", async () => {
    const path = bundle({
      "classes/io/aec/Probe.class": classFile("javax/servlet/Filter", "java/lang/String"),
      "lib/inner.jar": zipSync({ "io/aec/Other.class": classFile("com/amazonaws/services/sns/AmazonSNS") }),
    });
    const { trains } = await compat("--plugin", path);
    const verdict = (name: string) => trains.find(({ train }) => train === name);
    expect(verdict("1.31")).toMatchObject({ loads: true, missing: [] });
    expect(verdict("2025.4")).toMatchObject({ loads: false, missing: ["javax/servlet/Filter"] });
    expect(verdict("2026.3")?.missing).toEqual([
      "javax/servlet/Filter",
      "com/amazonaws/services/sns/AmazonSNS",
    ]);
  });

  test("classes that the plugin brings along do not count", async () => {
    const path = bundle({
      "classes/io/aec/Probe.class": classFile("javax/servlet/Filter"),
      "lib/servlet.jar": zipSync({ "javax/servlet/Filter.class": classFile("java/lang/Object") }),
    });
    expect((await compat("--plugin", path)).trains.every(({ loads }) => loads)).toBe(true);
  });

  test("a file that is no plugin: exit 2", async () => {
    const path = join(temporaryDirectory(), "x.zip");
    writeFileSync(path, "hello");
    expect((await compat("--plugin", path)).exit).toBe(2);
    expect((await compat("--plugin", bundle({ "readme.txt": Buffer.from("x") }))).stdout).toContain(
      "no classes",
    );
    expect((await compat("--plugin", "/nonexistent")).exit).toBe(2);
  });
});
