import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");
const GOLDEN = join(import.meta.dirname, "..", "golden");

/** A Halyard directory whose clouddriver profile is this text. */
function halyard(text: string) {
  const home = temporaryDirectory();
  const path = join(home, ".hal", "default", "profiles", "clouddriver-local.yml");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  const run = (...argv: string[]) => aec([...argv, "--yes"], { home });
  return { path, run, read: () => readFileSync(path, "utf8"), home };
}
const INSTALL = ["install", "--halyard", "--spinnaker-version", "1.30.1"];
const hide = (text: string, home: string) => text.replaceAll(home, "~");

describe("every profile found in the wild, byte for byte", () => {
  const names = readdirSync(FIXTURES).filter((name) => name.startsWith("profile-"));
  test.each(names)("%s", async (name) => {
    const before = readFileSync(join(FIXTURES, name), "utf8");
    const { run, read, home } = halyard(before);
    const dry = await aec([...INSTALL, "--dry-run"], { home });
    expect(read()).toBe(before);
    const installed = await run(...INSTALL);
    const after = read();
    if (installed.exit !== 0) {
      expect(after).toBe(before);
      expect(dry.exit).toBe(installed.exit);
      await expect(hide(installed.stderr, home)).toMatchFileSnapshot(join(GOLDEN, `${name}.refused.txt`));
      return;
    }
    await expect(after).toMatchFileSnapshot(join(GOLDEN, `${name}.installed.yml`));
    expect((await run(...INSTALL)).stdout).toContain("nothing to change");
    expect(read()).toBe(after);

    const polled = await run("polling", "set", "--halyard", "--interval", "90s");
    expect(polled.exit, polled.stderr).toBe(0);
    await expect(read()).toMatchFileSnapshot(join(GOLDEN, `${name}.polled.yml`));

    writeFileSync(join(home, ".hal", "default", "profiles", "clouddriver-local.yml"), after);
    await run("uninstall", "--halyard");
    // Where the plugin was there before aec, there is nothing to restore: it is what goes.
    if (
      !before.includes("Armory.AWSCATsOnEvent:\n        ") &&
      !before.includes("AWSCATsOnEvent:\n          enabled")
    ) {
      expect(read()).toBe(before);
    } else expect(read()).not.toMatch(/^\s*Armory\.AWSCATsOnEvent:/m);
  });
});

describe("every kustomization and SpinnakerService", () => {
  const names = readdirSync(FIXTURES).filter((name) => /^kustomization-(?!12)/.test(name));
  test.each(names)("%s", async (name) => {
    const directory = temporaryDirectory();
    const home = temporaryDirectory();
    const file = join(directory, "kustomization.yml");
    copyFileSync(join(FIXTURES, name), file);
    const before = readFileSync(file, "utf8");
    for (const path of ["core/base", "."]) {
      mkdirSync(join(directory, path), { recursive: true });
      copyFileSync(
        join(FIXTURES, "spinsvc-01-armory-base.yml"),
        join(directory, path, "spinnakerservice.yml"),
      );
    }
    writeFileSync(join(directory, "core/base/kustomization.yml"), "resources: [ spinnakerservice.yml ]\n");
    const run = (command: string) => aec([command, "--operator", directory, "--yes"], { home });
    const { exit, stderr } = await run("install");
    if (exit !== 0) {
      await expect(stderr.replaceAll(directory, "~")).toMatchFileSnapshot(
        join(GOLDEN, `${name}.refused.txt`),
      );
      expect(readFileSync(file, "utf8")).toBe(before);
      return;
    }
    await expect(readFileSync(file, "utf8")).toMatchFileSnapshot(join(GOLDEN, `${name}.installed.yml`));
    await run("uninstall");
    // An entry for a patch that is gone would break the build, whoever wrote it.
    expect(readFileSync(file, "utf8")).toBe(
      before.replace(/^ {2}- \.\/plugins\/aws-event-cache-plugin\.yml\n?/m, ""),
    );
    expect(existsSync(join(directory, "plugins/aws-event-cache-plugin.yml"))).toBe(false);
  });

  const services = readdirSync(FIXTURES).filter((name) => name.startsWith("spinsvc-"));
  test.each(services)("%s, alone", async (name) => {
    const directory = temporaryDirectory();
    const home = temporaryDirectory();
    const file = join(directory, "spinnakerservice.yml");
    copyFileSync(join(FIXTURES, name), file);
    const outcome = await aec(
      ["install", "--operator", directory, "--spinnaker-version", "1.30.1", "--yes"],
      { home },
    );
    const text = outcome.exit === 0 ? readFileSync(file, "utf8") : outcome.stderr.replaceAll(directory, "~");
    await expect(text).toMatchFileSnapshot(
      join(GOLDEN, `${name}.${outcome.exit === 0 ? "installed.yml" : "refused.txt"}`),
    );
  });
});

const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom("x", "a: b", "012345678901", "# no", ""));
const name = fc.constantFrom(
  "spinnaker",
  "extensibility",
  "plugins",
  "repositories",
  "redis",
  "poll",
  "aws",
  "Acme.Observe",
);
const { map: tree } = fc.letrec<{ node: unknown; map: Record<string, unknown> }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, scalar, tie("map")),
  map: fc.dictionary(name, tie("node"), { maxKeys: 4 }),
}));

describe("properties of installing", () => {
  test("install then uninstall is the identity, byte for byte; a refusal changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.boolean(), fc.boolean(), fc.boolean(), async (data, crlf, bom, final) => {
        const body = stringify(data, { lineWidth: 0 });
        const lines = final ? body : body.replace(/\n$/, "");
        const text = (bom ? "\uFEFF" : "") + (crlf ? lines.replaceAll("\n", "\r\n") : lines);
        const { run, read } = halyard(text);
        const installed = await run(...INSTALL);
        if (installed.exit !== 0) {
          expect(installed.exit, installed.stderr).toBe(2);
          expect(read()).toBe(text);
          return;
        }
        expect(read()).toContain("Armory.AWSCATsOnEvent");
        const after = read();
        await run(...INSTALL);
        expect(read()).toBe(after);
        await run("uninstall", "--halyard");
        expect(read()).toBe(text);
      }),
      { numRuns: 60 },
    );
  });
});
