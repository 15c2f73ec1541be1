import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../helpers/aec.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("the packed tarball installs into an empty directory and runs", () => {
  const directory = temporaryDirectory();
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", directory], { cwd: ROOT });
  const [tarball = ""] = readdirSync(directory);
  const listed = execFileSync("tar", ["tzf", join(directory, tarball)], { encoding: "utf8" })
    .trim()
    .split("\n");
  expect(
    listed.filter(
      (path) =>
        !/^package\/(dist\/.+\.js|bin\/aec\.js|package\.json|README\.md|CHANGELOG\.md|npm-shrinkwrap\.json)$/.test(
          path,
        ),
    ),
  ).toEqual([]);

  const empty = join(directory, "empty");
  mkdirSync(empty);
  execFileSync("npm", ["install", "--silent", "--prefix", empty, "--omit=dev", join(directory, tarball)], {
    cwd: empty,
  });
  // Every package is the one that the tests ran with.
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; dev?: true }>;
  };
  const installed = join(empty, "node_modules", "aws-event-cache");
  const versionIn = (path: string) => {
    const found = [join(installed, path), join(empty, path)].find((one) => existsSync(one));
    return (
      found && (JSON.parse(readFileSync(join(found, "package.json"), "utf8")) as { version: string }).version
    );
  };
  const wrong = Object.entries(lock.packages).filter(([path, { version, dev }]) => {
    const there = path === "" || dev ? undefined : versionIn(path);
    return there !== undefined && there !== version;
  });
  expect(wrong).toEqual([]);
  const aec = (...argv: string[]) =>
    execFileSync(join(empty, "node_modules", ".bin", "aec"), argv, { cwd: empty, encoding: "utf8" });
  expect(aec("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(JSON.parse(aec("demo", "--quiet", "-o", "json"))).toMatchObject({ simulated: true });
});
