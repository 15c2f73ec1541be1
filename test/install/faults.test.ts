import { spawnSync } from "node:child_process";
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

const BIN = resolve(import.meta.dirname, "../../bin/aec.js");
const STEPS = ["writeFileSync", "fsyncSync", "chmodSync", "renameSync"] as const;
const GATE = "server:\n  port: 8084\n";
const INSTALL = ["install", "--halyard", "--spinnaker-version", "1.30.1", "--yes"];

let home: string;
const profile = (name: string) => join(home, ".hal/default/profiles", name);
const read = (name: string) => (existsSync(profile(name)) ? readFileSync(profile(name), "utf8") : undefined);

function makeHome(): void {
  home = temporaryDirectory();
  mkdirSync(profile("."), { recursive: true });
  writeFileSync(profile("gate-local.yml"), GATE);
}
beforeEach(makeHome);

/** What the two profiles are after an undisturbed run. */
async function wanted(): Promise<Record<string, string | undefined>> {
  makeHome();
  await aec(INSTALL, { home });
  const result = {
    "clouddriver-local.yml": read("clouddriver-local.yml"),
    "gate-local.yml": read("gate-local.yml"),
  };
  makeHome();
  return result;
}

function expectWholeFiles(after: Record<string, string | undefined>): void {
  expect([undefined, after["clouddriver-local.yml"]]).toContain(read("clouddriver-local.yml"));
  expect([GATE, after["gate-local.yml"]]).toContain(read("gate-local.yml"));
}

async function expectSecondRunCompletes(after: Record<string, string | undefined>) {
  const second = await aec(INSTALL, { home });
  expect(second.exit, second.stderr).toBe(0);
  for (const [name, text] of Object.entries(after)) expect(read(name)).toBe(text);
  expect(readdirSync(profile(".")).sort()).toEqual(["clouddriver-local.yml", "gate-local.yml"]);
  await aec(["uninstall", "--halyard", "--yes"], { home });
  expect([read("clouddriver-local.yml"), read("gate-local.yml")]).toEqual([undefined, GATE]);
  return second;
}

describe("an error at any step of writing", () => {
  const originals = Object.fromEntries(STEPS.map((name) => [name, fs[name]]));
  afterEach(() => {
    Object.assign(fs, originals);
    syncBuiltinESMExports();
  });

  /** Makes the nth of these calls fail; tells how many there were. */
  function failAt(nth: number) {
    let count = 0;
    for (const name of STEPS) {
      const original = originals[name] as (...args: unknown[]) => unknown;
      Object.assign(fs, {
        [name]: (...args: unknown[]) => {
          count += 1;
          if (count === nth)
            throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
          return original(...args);
        },
      });
    }
    syncBuiltinESMExports();
    return () => {
      Object.assign(fs, originals);
      syncBuiltinESMExports();
      return count;
    };
  }

  test("leaves whole files and no bug; the next run completes", async () => {
    const after = await wanted();
    const restore = failAt(Number.POSITIVE_INFINITY);
    await aec(INSTALL, { home });
    const steps = restore();
    expect(steps).toBeGreaterThan(10);
    for (let nth = 1; nth <= steps; nth += 1) {
      makeHome();
      const mend = failAt(nth);
      const failed = await aec(INSTALL, { home });
      mend();
      expect(failed.stderr, `step ${nth}`).not.toContain("bug in aec");
      expect([0, 1, 4], `step ${nth}: ${failed.stderr}`).toContain(failed.exit);
      expectWholeFiles(after);
      await expectSecondRunCompletes(after);
    }
  });
});

describe("kill -9 at any step of writing", () => {
  test("leaves whole files; the next run completes and says what it found", async () => {
    const after = await wanted();
    let leftovers = 0;
    for (let nth = 1; ; nth += 1) {
      makeHome();
      const preload = `import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
        let count = 0;
        for (const name of ${JSON.stringify(STEPS)}) {
          const original = fs[name];
          fs[name] = (...args) => { if (++count === ${nth}) process.kill(process.pid, "SIGKILL"); return original(...args); };
        }
        syncBuiltinESMExports();`;
      const { signal, status } = spawnSync(
        process.execPath,
        ["--import", `data:text/javascript,${encodeURIComponent(preload)}`, BIN, ...INSTALL],
        { env: { PATH: process.env.PATH ?? "", HOME: home } },
      );
      if (signal === null) {
        expect(status).toBe(0);
        expect(nth).toBeGreaterThan(10);
        break;
      }
      expectWholeFiles(after);
      const second = await expectSecondRunCompletes(after);
      if (second.stderr.includes("an earlier aec was ended while it wrote")) leftovers += 1;
    }
    expect(leftovers).toBeGreaterThan(0);
  });
});
