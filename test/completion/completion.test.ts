import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

const CONFIG = `version: 1
environments:
  prod:
    notify: { regions: [us-east-1, eu-west-1] }
    accounts: [ { name: prod-main, awsAccountId: "012345678901" }, { name: prod-data, awsAccountId: "012345678902" } ]
  staging: {}
`;

async function after(...words: string[]): Promise<string[]> {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, "aec.yml"), CONFIG);
  const { exit, stdout } = await aec(["--env", "prod", "completion", "--words", "--", ...words], { cwd });
  expect(exit).toBe(0);
  return stdout.split("\n").filter(Boolean);
}

describe("aec completion", () => {
  test.each([
    [["re"], ["recorder", "refresh"]],
    [
      ["sns", ""],
      ["create", "status", "test", "redrive", "delete"],
    ],
    [["polling", "g"], ["get"]],
    [["--env", "prod", "sns", "cr"], ["create"]],
    [["-o", "j"], ["json"]],
    [["refresh", "--type", "tar"], ["target-group"]],
    [
      ["refresh", "--account", "prod-"],
      ["prod-main", "prod-data"],
    ],
    [["refresh", "--account=prod-d"], ["--account=prod-data"]],
    [["serve", "--mode", "e"], ["events"]],
    [
      ["iam", "--aws-region", ""],
      ["us-east-1", "eu-west-1"],
    ],
    [
      ["--env", ""],
      ["prod", "staging"],
    ],
    [["serve", "--heart"], ["--heartbeat"]],
    [["refresh", "--lock-s"], ["--lock-store"]],
    [["nonsense", "--no-such", "x"], []],
  ])("%j", async (words, expected) => {
    expect(await after(...words)).toEqual(expected);
  });

  test("a broken aec.yml completes everything but what is in it", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "aec.yml"), "version: [");
    const { exit, stdout } = await aec(["completion", "--words", "--", "refresh", "--account", ""], { cwd });
    expect([exit, stdout]).toEqual([0, ""]);
  });

  test("the script for bash, in bash", async () => {
    const bin = temporaryDirectory();
    writeFileSync(
      join(bin, "aec"),
      `#!/bin/sh\nexec "${process.execPath}" "${resolve("bin/aec.js")}" "$@"\n`,
    );
    chmodSync(join(bin, "aec"), 0o755);
    const script =
      'source <(aec completion bash); COMP_WORDS=(aec sns re); COMP_CWORD=2; _aec; printf "%s\\n" $COMPREPLY';
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    expect(execFileSync("bash", ["-c", script], { env, encoding: "utf8" })).toBe("redrive\n");
  });

  test.each(["zsh", "fish"])("a script for %s", async (shell) => {
    const { stdout } = await aec(["completion", shell]);
    expect(stdout).toContain("aec completion --words --");
  });

  test.each([[[]], [["tcsh"]], [["bash", "zsh"]]])("no such shell: %j", async (argv) => {
    const { exit, stderr } = await aec(["completion", ...argv]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("bash, zsh, fish")]);
  });
});
