import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../helpers/aec.ts";
import { startRegistry } from "./registry.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

test("the packed package installs into an empty directory, as it was tested, and runs", async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", directory], { cwd: ROOT });
  const [name = ""] = readdirSync(directory);
  const tarball = join(directory, name);
  const listed = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" }).trim().split("\n");
  const wanted =
    /^package\/(dist\/.+\.js|bin\/aec\.js|(package|npm-shrinkwrap)\.json|(README|CHANGELOG)\.md)$/;
  expect(listed.filter((path) => !wanted.test(path))).toEqual([]);

  const empty = join(directory, "empty");
  mkdirSync(empty);
  const registry = await startRegistry(tarball);
  onTestFinished(registry.close);
  await run(
    "npm",
    ["install", "--silent", "--registry", registry.url, "--prefix", empty, "--omit=dev", "aws-event-cache"],
    { cwd: empty },
  );
  const installed = join(empty, "node_modules", "aws-event-cache");
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; dev?: true }>;
  };
  const versions = Object.entries(lock.packages).flatMap(([path, { version, dev }]) => {
    const manifest = join(installed, path, "package.json");
    if (path === "" || !existsSync(manifest)) return [];
    const found = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
    return [{ path, dev: dev ?? false, version, found: found.version }];
  });
  expect(versions.length).toBeGreaterThan(50);
  expect(versions.filter(({ dev, version, found }) => dev || version !== found)).toEqual([]);

  const aec = (...argv: string[]) =>
    execFileSync(join(empty, "node_modules", ".bin", "aec"), argv, { cwd: empty, encoding: "utf8" });
  expect(aec("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(JSON.parse(aec("demo", "--quiet", "-o", "json"))).toMatchObject({ simulated: true });
});
