import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { aec, type Outcome, temporaryDirectory, type WorldOptions } from "../helpers/aec.ts";
import { makeHalyard } from "../helpers/halyard.ts";

const PLUGIN = `spinnaker:
  extensibility:
    plugins:
      Armory.AWSCATsOnEvent:
        enabled: true
        version: 0.2.1
    repositories:
      awsEventCache:
        url: https://raw.githubusercontent.com/armory-plugins/pluginRepository/master/plugins.json
`;

let hal: string;
let home: string;
const profile = (name: string) => join(hal, "default", "profiles", name);
const read = (name: string) => readFileSync(profile(name), "utf8");
const fixture = (name: string) => readFileSync(join(import.meta.dirname, "..", "fixtures", name), "utf8");

beforeEach(() => {
  home = temporaryDirectory();
  hal = makeHalyard(home);
});

function run(argv: readonly string[], options: WorldOptions = {}): Promise<Outcome> {
  return aec(argv, { home, ...options });
}
const install = (...more: string[]) => run(["install", "--halyard", "--yes", ...more]);

describe("install --halyard", () => {
  test("writes both profiles, says how to roll out and how to prove it", async () => {
    const { exit, stdout, stderr } = await install();
    expect(exit).toBe(0);
    expect(read("clouddriver-local.yml")).toBe(PLUGIN);
    expect(read("gate-local.yml")).toBe(PLUGIN);
    expect(stderr).toContain("+      Armory.AWSCATsOnEvent:");
    expect(stdout).toContain("hal deploy apply --deployment default --service-names clouddriver gate\n");
    expect(stdout).toContain("kubectl -n spinnaker rollout status deploy/spin-gate");
    expect(stdout).toContain("/plugins/installed?service=gate");
  });

  test("a second run changes no byte and says so", async () => {
    writeFileSync(profile("clouddriver-local.yml"), fixture("profile-05-other-repo.yml"));
    await install();
    const before = [read("clouddriver-local.yml"), statSync(profile("clouddriver-local.yml")).ino];
    const { exit, stdout } = await install();
    expect(exit).toBe(0);
    expect(stdout).toContain("nothing to change");
    expect([read("clouddriver-local.yml"), statSync(profile("clouddriver-local.yml")).ino]).toEqual(before);
  });

  test("--dry-run shows the diff and writes nothing; --exit-code tells that something would change", async () => {
    const dry = await run(["install", "--halyard", "--dry-run", "--exit-code", "-o", "json"]);
    expect(dry.exit).toBe(3);
    expect(readdirSync(join(hal, "default", "profiles"))).toEqual([]);
    expect(existsSync(join(home, ".local"))).toBe(false);
    const { files, rollout } = dry.json<{ files: { action: string; diff: string }[]; rollout: string[] }>();
    expect(files.map(({ action }) => action)).toEqual(["create", "create"]);
    expect(files[0]?.diff).toContain("--- /dev/null");
    expect(rollout[0]).toContain("hal deploy apply");

    await install();
    expect((await run(["install", "--halyard", "--dry-run", "--exit-code"])).exit).toBe(0);
  });

  test("leaves nothing but the profiles in profiles/: any other file there may reach a pod", async () => {
    await install();
    expect(readdirSync(join(hal, "default", "profiles")).sort()).toEqual([
      "clouddriver-local.yml",
      "gate-local.yml",
    ]);
  });

  test("high availability: rolls out every role, without the ro-deck that is switched off", async () => {
    writeFileSync(join(hal, "config"), fixture("halconfig-01-ha.yml"));
    mkdirSync(join(hal, "prod", "profiles"), { recursive: true });
    const { stdout } = await install();
    expect(stdout).toContain(
      "hal deploy apply --deployment prod --service-names clouddriver-caching clouddriver-rw clouddriver-ro gate monitoring-daemon\n",
    );
  });

  test("asks on a terminal; a no changes nothing and is exit 1", async () => {
    const { exit, stderr } = await run(["install", "--halyard"], { tty: true, answer: false });
    expect(exit).toBe(1);
    expect(stderr).toContain("declined");
    expect(readdirSync(join(hal, "default", "profiles"))).toEqual([]);
    expect((await run(["install", "--halyard"], { tty: true, answer: true })).exit).toBe(0);
  });

  test("off a terminal it never asks and names the flag", async () => {
    const { exit, stderr } = await run(["install", "--halyard"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("--yes");
    expect(readdirSync(join(hal, "default", "profiles"))).toEqual([]);
  });

  test("keeps mode and follows links", async () => {
    const real = join(home, "checkout.yml");
    writeFileSync(real, "redis:\n  host: r\n", { mode: 0o640 });
    chmodSync(real, 0o640);
    symlinkSync(real, profile("clouddriver-local.yml"));
    expect((await install()).exit).toBe(0);
    expect(readFileSync(real, "utf8")).toBe(`redis:\n  host: r\n${PLUGIN}`);
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });

  test("a mirror: --repository-url, and an entry of the same name is pointed there", async () => {
    await install();
    const { exit } = await install("--repository-url", "https://mirror.example.com/plugins.json");
    expect(exit).toBe(0);
    expect(read("gate-local.yml")).toBe(
      PLUGIN.replace(/https:.*/, "https://mirror.example.com/plugins.json"),
    );
  });
});

describe("refusals: exit 2, nothing written", () => {
  const refused = async (reason: string | RegExp, ...argv: string[]) => {
    const before = readdirSync(join(hal, "default", "profiles"), { recursive: true });
    const { exit, stderr } = await install(...argv);
    expect(stderr).toMatch(reason);
    expect(exit).toBe(2);
    expect(readdirSync(join(hal, "default", "profiles"), { recursive: true })).toEqual(before);
  };

  test.each([
    ["profile-17-tab-indent-invalid.yml", /clouddriver-local\.yml:\d+:\d+: invalid YAML/],
    [
      "profile-19-duplicate-root-key.yml",
      /clouddriver-local\.yml:\d+:\d+: invalid YAML: Map keys must be unique/,
    ],
    ["profile-29-brace-prefix-invalid.yml", /clouddriver-local\.yml:2:\d+: invalid YAML/],
    ["profile-30-bad-indent-invalid.yml", /clouddriver-local\.yml:\d+:\d+: invalid YAML/],
    ["profile-36-root-not-mapping.yml", /clouddriver-local\.yml:2:1: the root is not a map/],
    [
      "profile-37-scalar-on-path.yml",
      /clouddriver-local\.yml:3:18: .*holds the value "disabled" where keys are needed/,
    ],
    ["profile-15-alias-on-edit-path.yml", /clouddriver-local\.yml:7:18: .*alias \*ext/],
    ["profile-31-plugin-disabled.yml", /clouddriver-local\.yml:6: .*switched off/],
  ])("%s", async (name, reason) => {
    writeFileSync(profile("clouddriver-local.yml"), fixture(name));
    await refused(reason);
    expect(read("clouddriver-local.yml")).toBe(fixture(name));
  });

  test("a file that is not UTF-8", async () => {
    writeFileSync(profile("gate-local.yml"), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
    await refused(/not UTF-8/);
  });

  test("a read-only file", async () => {
    writeFileSync(profile("gate-local.yml"), "a: b\n", { mode: 0o444 });
    const { exit, stderr } = await install();
    expect(stderr).toContain("read-only");
    expect(exit).toBe(4);
    expect(readdirSync(join(hal, "default", "profiles"))).toEqual(["gate-local.yml"]);
  });

  test.each([
    ["1.32.0", /not for 1\.32\.0/],
    ["2025.1.0", /aec serve does the same/],
    ["branch:master", /names no release/],
    ["local:main", /names no release/],
  ])("Spinnaker %s", async (version, reason) => {
    await refused(reason, "--spinnaker-version", version);
  });

  test("--force installs on such a version all the same", async () => {
    expect((await install("--spinnaker-version", "2025.1.0", "--force")).exit).toBe(0);
  });

  test("an unknown release of the plugin, a deployment or a directory that is not there", async () => {
    await refused(/no release 0\.3\.0/, "--plugin-version", "0.3.0");
    await refused(/did you mean "default"/, "--deployment", "defualt");
    await refused(/no Halyard directory at/, "--hal-dir", join(home, "nowhere"));
  });

  test("no target", async () => {
    const { exit, stderr } = await run(["install", "--yes"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("--halyard");
  });

  test("with -o json the error is the only document on stdout", async () => {
    const { exit, json, stderr } = await install("--plugin-version", "9", "-o", "json");
    expect(exit).toBe(2);
    expect(json()).toMatchObject({
      error: { code: "plugin-version-unknown", message: expect.stringContaining("9") },
    });
    expect(stderr).toBe("");
  });
});

describe("uninstall --halyard", () => {
  test("restores the bytes where only aec wrote, and deletes the file that aec made", async () => {
    writeFileSync(profile("clouddriver-local.yml"), fixture("profile-28-commented-plugin.yml"));
    await install();
    expect((await run(["uninstall", "--halyard", "--yes"])).exit).toBe(0);
    expect(read("clouddriver-local.yml")).toBe(fixture("profile-28-commented-plugin.yml"));
    expect(existsSync(profile("gate-local.yml"))).toBe(false);
  });

  test("cuts exactly its lines where somebody else wrote meanwhile", async () => {
    await install();
    writeFileSync(profile("gate-local.yml"), `${read("gate-local.yml")}cors:\n  allowed: "*"\n`);
    await run(["uninstall", "--halyard", "--yes"]);
    expect(read("gate-local.yml")).toBe('cors:\n  allowed: "*"\n');
  });

  test("keeps the original across an upgrade", async () => {
    writeFileSync(profile("gate-local.yml"), "a: 1\n");
    await install("--plugin-version", "0.2.0");
    expect(read("gate-local.yml")).toContain("version: 0.2.0");
    await install();
    expect(read("gate-local.yml")).toContain("version: 0.2.1");
    await run(["uninstall", "--halyard", "--yes"]);
    expect(read("gate-local.yml")).toBe("a: 1\n");
  });

  test("without state it cuts its lines; twice is nothing to do", async () => {
    writeFileSync(profile("clouddriver-local.yml"), `a: 1\n${PLUGIN}`);
    await run(["uninstall", "--halyard", "--yes"]);
    expect(read("clouddriver-local.yml")).toBe("a: 1\n");
    const { exit, stdout } = await run(["uninstall", "--halyard", "--yes"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("nothing to remove");
  });
});
