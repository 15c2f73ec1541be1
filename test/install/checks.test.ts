import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");
let home: string;
let recipe: string;
beforeEach(() => {
  home = temporaryDirectory();
  recipe = temporaryDirectory();
  copyFileSync(join(FIXTURES, "kustomization-06-no-patch-field.yml"), join(recipe, "kustomization.yml"));
  copyFileSync(join(FIXTURES, "spinsvc-01-armory-base.yml"), join(recipe, "spinnakerservice.yml"));
});
const PATCH = "plugins/aws-event-cache-plugin.yml";
const state = () => join(home, ".local", "state", "aec", "files");

/** A `kustomize` on the path that answers the first call with one text and later ones with another. */
function kustomize(first: string, later: string): string {
  const bin = temporaryDirectory();
  const path = join(bin, "kustomize");
  const flag = join(bin, "called");
  writeFileSync(join(bin, "first"), first);
  writeFileSync(join(bin, "later"), later);
  writeFileSync(
    path,
    `#!/bin/sh\nif [ -e ${flag} ]; then f=${bin}/later; else f=${bin}/first; : > ${flag}; fi\n` +
      `case "$(head -c 5 $f)" in FAIL:*) cat $f >&2; exit 1;; esac\ncat $f\n`,
  );
  chmodSync(path, 0o755);
  return `${bin}:/usr/bin:/bin`;
}

const service = (profiles: string, extra = "") =>
  `apiVersion: spinnaker.armory.io/v1alpha2\nkind: SpinnakerService\nmetadata:\n  name: spinnaker\nspec:\n  spinnakerConfig:\n    config:\n      version: 2.30.0\n${extra}    profiles:${profiles}\n`;
const extensibility = (version: string) =>
  `{ spinnaker: { extensibility: { plugins: { Armory.AWSCATsOnEvent: { enabled: true, version: ${version} } }, repositories: { awsEventCache: { url: "https://raw.githubusercontent.com/armory-plugins/pluginRepository/master/plugins.json" } } } } }`;
const PLUGIN = extensibility("0.2.1");
const BEFORE = service(" { clouddriver: {}, gate: {} }");
const RIGHT = service(` { clouddriver: ${PLUGIN}, gate: ${PLUGIN} }`);

const install = (PATH: string, ...argv: string[]) =>
  aec(["install", "--operator", recipe, "--yes", ...argv], { home, env: { PATH } });

describe("the build check", () => {
  test("a build with the plugin, and nothing else changed, is right", async () => {
    const { exit, stderr } = await install(kustomize(BEFORE, RIGHT));
    expect(exit, stderr).toBe(0);
    expect(existsSync(join(recipe, PATCH))).toBe(true);
  });

  test.each([
    ["without the plugin", BEFORE, /does not have .*profiles\.clouddriver\..*enabled: true/],
    [
      "without it for one role",
      service(` { clouddriver: ${PLUGIN}, gate: {} }`),
      /does not have .*profiles\.gate\..*enabled: true/,
    ],
    [
      "where something later sets another version",
      service(` { clouddriver: ${extensibility("0.2.0")}, gate: ${PLUGIN} }`),
      /does not have .*clouddriver\..*version: 0\.2\.1.* nothing else sets it/,
    ],
    [
      "where a dotted spelling still has another version",
      service(
        ` { clouddriver: { spinnaker.extensibility.plugins.Armory.AWSCATsOnEvent.version: 0.2.0, ${PLUGIN.slice(1)}, gate: ${PLUGIN} }`,
      ),
      /does not have .*clouddriver\..*version: 0\.2\.1/,
    ],
    [
      "with something else changed",
      service(` { clouddriver: ${PLUGIN}, gate: ${PLUGIN} }`, "      timezone: UTC\n"),
      /something else .*timezone/,
    ],
    ["that fails now", "FAIL: no matches for Id", /does not build any more: .*no matches for Id/],
  ])("a build %s undoes every file", async (_, later, reason) => {
    const before = readFileSync(join(recipe, "kustomization.yml"), "utf8");
    const { exit, stderr } = await install(kustomize(BEFORE, later));
    expect(stderr).toMatch(reason);
    expect(exit).toBe(1);
    expect(readFileSync(join(recipe, "kustomization.yml"), "utf8")).toBe(before);
    expect(existsSync(dirname(join(recipe, PATCH)))).toBe(false);
  });

  test("polling is checked in the build too", async () => {
    const poll = (seconds: number) =>
      service(` { clouddriver: { redis: { poll: { intervalSeconds: ${seconds} } } } }`);
    const set = (PATH: string) =>
      aec(["polling", "set", "--operator", recipe, "--interval", "90s", "--yes"], { home, env: { PATH } });
    const wrong = await set(kustomize(BEFORE, poll(30)));
    expect(wrong.exit).toBe(1);
    expect(wrong.stderr).toContain(
      "does not have spec.spinnakerConfig.profiles.clouddriver.redis.poll.intervalSeconds: 90",
    );
    expect(existsSync(join(recipe, PATCH))).toBe(false);
    expect((await set(kustomize(service(" { clouddriver: {} }"), poll(90)))).exit).toBe(0);
  });

  test("an interrupt during the build undoes every file", async () => {
    const bin = temporaryDirectory();
    const flag = join(bin, "called");
    writeFileSync(join(bin, "before"), BEFORE);
    writeFileSync(
      join(bin, "kustomize"),
      `#!/bin/sh\nif [ -e ${flag} ]; then : > ${flag}.again; exec sleep 60; fi\n: > ${flag}\ncat ${bin}/before\n`,
    );
    chmodSync(join(bin, "kustomize"), 0o755);
    const interruption = new AbortController();
    const watcher = watch(bin, () => {
      if (existsSync(`${flag}.again`)) interruption.abort(new Error("SIGINT"));
    });
    onTestFinished(() => watcher.close());
    const { exit } = await aec(["install", "--operator", recipe, "--yes"], {
      home,
      env: { PATH: `${bin}:/usr/bin:/bin` },
      signal: interruption.signal,
    });
    expect(exit).toBe(130);
    expect(existsSync(dirname(join(recipe, PATCH)))).toBe(false);
    expect(readdirSync(state())).toEqual([]);
  });

  test("a refused second edit leaves the way back to the original open", async () => {
    const original = readFileSync(join(recipe, "kustomization.yml"), "utf8");
    expect((await install(kustomize(BEFORE, RIGHT))).exit).toBe(0);
    expect((await install(kustomize(RIGHT, "FAIL: no"), "--plugin-version", "0.2.0")).exit).toBe(1);
    const { exit } = await aec(["uninstall", "--operator", recipe, "--yes"], { home });
    expect(exit).toBe(0);
    expect(readFileSync(join(recipe, "kustomization.yml"), "utf8")).toBe(original);
    expect(existsSync(join(recipe, PATCH))).toBe(false);
  });

  test("what failed before is not blamed on the edit", async () => {
    const { exit, stderr } = await install(kustomize("FAIL: strict parsing", "FAIL: strict parsing"));
    expect(exit).toBe(0);
    expect(stderr).toContain("does not build as it is, before any change");
  });

  test("without kustomize and kubectl it says that it could not check", async () => {
    expect((await install("/nonexistent")).stderr).toContain("could not be checked");
  });
});

describe("the lock", () => {
  test("a living aec is not disturbed; a dead one's lock is taken over", async () => {
    mkdirSync(state(), { recursive: true });
    writeFileSync(join(state(), "lock"), String(process.pid));
    const busy = await install("/nonexistent");
    expect([busy.exit, busy.stderr]).toEqual([1, expect.stringContaining(`process ${process.pid}`)]);
    expect(existsSync(join(recipe, PATCH))).toBe(false);
    writeFileSync(join(state(), "lock"), "999999999");
    expect((await install("/nonexistent")).exit).toBe(0);
    expect(existsSync(join(state(), "lock"))).toBe(false);
  });
});

describe("diffs", () => {
  test("show no secret of the lines around an edit, but what only points at one", async () => {
    const profiles = join(home, ".hal/default/profiles");
    mkdirSync(profiles, { recursive: true });
    const lines = [
      "aws:",
      "  secretKey: hunter2-in-clear",
      '  "db-password": "also-in-clear"',
      "  token: encrypted:s3!r:us-west-2!b:bucket!f:file",
      "redis: { poll: { intervalSeconds: 60 } }",
    ];
    writeFileSync(join(profiles, "clouddriver-local.yml"), `${lines.join("\n")}\n`);
    const argv = ["polling", "set", "--halyard", "--interval", "90s", "--dry-run"];
    for (const format of [[], ["-o", "json"]]) {
      const { exit, stdout } = await aec([...argv, ...format], { home });
      expect(exit).toBe(0);
      expect(stdout).toContain("90");
      expect(stdout).not.toContain("in-clear");
      expect(stdout).toContain("encrypted:s3!r:us-west-2!b:bucket!f:file");
    }
  });
});

describe("presets", () => {
  const yml = (kind: string) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "aec.yml"), `version: 1\nenvironments: { e: { kind: ${kind} } }\n`);
    return cwd;
  };
  const profile = () => readFileSync(join(home, ".hal/default/profiles/clouddriver-local.yml"), "utf8");
  const halyard = (argv: string[], cwd = home) => {
    mkdirSync(join(home, ".hal/default/profiles"), { recursive: true });
    return aec(["install", "--halyard", "--spinnaker-version", "1.30.1", "--yes", ...argv], { home, cwd });
  };

  test("--polling names one; the plugin and the intervals are one change, and uninstall restores both", async () => {
    expect((await halyard(["--polling", "non-production"])).exit).toBe(0);
    expect(parse(profile())).toMatchObject({
      redis: { poll: { intervalSeconds: 120, errorIntervalSeconds: 120, timeoutSeconds: 300 } },
      spinnaker: { extensibility: { plugins: { "Armory.AWSCATsOnEvent": { enabled: true } } } },
    });
    expect((await halyard(["--polling", "non-production"])).stdout).toContain("nothing to change");
    await aec(["uninstall", "--halyard", "--yes"], { home });
    expect(existsSync(join(home, ".hal/default/profiles/clouddriver-local.yml"))).toBe(false);
  });

  test("--polling alone takes the environment's kind, and fails without one", async () => {
    await halyard(["--polling"], yml("production"));
    expect(parse(profile()).redis.poll.intervalSeconds).toBe(30);
    const { exit, stderr } = await halyard(["--polling"]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("--polling production")]);
  });

  test("polling set --preset", async () => {
    mkdirSync(join(home, ".hal/default/profiles"), { recursive: true });
    await aec(["polling", "set", "--halyard", "--preset", "non-production", "--interval", "60s", "--yes"], {
      home,
    });
    expect(parse(profile()).redis.poll).toEqual({
      intervalSeconds: 60,
      errorIntervalSeconds: 120,
      timeoutSeconds: 300,
    });
  });
});

describe("--print", () => {
  test("the lines for other layouts; nothing is written", async () => {
    const { exit, json } = await aec(["install", "--print", "-o", "json"], { home });
    expect(exit).toBe(0);
    const { fragments } = json<{ fragments: Record<string, string> }>();
    expect(parse(fragments["gate-local.yml"] ?? "").spinnaker.extensibility.plugins).toEqual({
      "Armory.AWSCATsOnEvent": { enabled: true, version: "0.2.1" },
    });
    const values = parse(fragments.helmValues ?? "").halyard.additionalProfileConfigMaps.data;
    expect(Object.keys(values)).toEqual(["clouddriver-local.yml", "gate-local.yml"]);
    expect(existsSync(dirname(state()))).toBe(false);
  });
});

describe("--verify", () => {
  type Answers = Record<string, [number, string, Record<string, string>?]>;
  async function gate(answers: Answers) {
    const server = createServer((request, response) => {
      const [status, body, headers] = answers[request.url ?? ""] ?? [404, "{}"];
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    onTestFinished(() => void server.close());
    return aec(
      [
        "install",
        "--verify",
        "--gate-url",
        `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        "-o",
        "json",
      ],
      { home },
    );
  }
  const results = (outcome: Awaited<ReturnType<typeof gate>>) =>
    outcome
      .json<{ checks: { id: string; result: string; reason: string }[] }>()
      .checks.map(({ id, result }) => [id, result]);
  const list = (service: string, ...ids: string[]) =>
    [200, JSON.stringify({ [service]: ids.map((pluginId) => ({ pluginId, version: "0.2.1" })) })] as [
      number,
      string,
    ];

  test("loaded: exit 0; an empty list of clouddriver proves nothing", async () => {
    const outcome = await gate({
      "/plugins/installed?service=gate": list("gate", "Armory.AWSCATsOnEvent"),
      "/plugins/installed?service=clouddriver": list("clouddriver"),
      "/aws/notify": [400, "{}"],
    });
    expect(outcome.exit).toBe(0);
    expect(results(outcome)).toEqual([
      ["gate", "ok"],
      ["clouddriver", "unknown"],
      ["notify", "ok"],
    ]);
  });

  test("not loaded: exit 1", async () => {
    const outcome = await gate({
      "/plugins/installed?service=gate": list("gate", "Other.Plugin"),
      "/plugins/installed?service=clouddriver": list("clouddriver", "Armory.AWSCATsOnEvent"),
    });
    expect(outcome.exit).toBe(1);
    expect(results(outcome)).toEqual([
      ["gate", "failure"],
      ["clouddriver", "ok"],
      ["notify", "failure"],
    ]);
  });

  test("a login in front of it is told apart", async () => {
    const login: [number, string, Record<string, string>] = [302, "", { location: "/login" }];
    const outcome = await gate({
      "/plugins/installed?service=gate": [200, "<html>login</html>"],
      "/plugins/installed?service=clouddriver": login,
      "/aws/notify": login,
    });
    expect(outcome.exit).toBe(1);
    expect(outcome.stdout).toMatch(/did not answer JSON/);
    expect(outcome.stdout).toMatch(/authentication filter/);
  });

  test.each([
    ["forbidden", [403, "{}"], /authentication filter.*403/],
    ["a login page with status 200", [200, "<!DOCTYPE html><title>login</title>"], /authentication filter/],
    ["a Gate that fails", [500, "{}"], /answers 500/],
  ] as [string, [number, string], RegExp][])("notify: %s is a failure", async (_, notify, reason) => {
    const outcome = await gate({
      "/plugins/installed?service=gate": list("gate", "Armory.AWSCATsOnEvent"),
      "/plugins/installed?service=clouddriver": list("clouddriver", "Armory.AWSCATsOnEvent"),
      "/aws/notify": notify,
    });
    expect(outcome.exit).toBe(1);
    expect(outcome.stdout).toMatch(reason);
  });

  test("no Gate named, or none there", async () => {
    expect((await aec(["install", "--verify"], { home })).exit).toBe(2);
    const { exit, stdout } = await aec(["install", "--verify", "--gate-url", "http://127.0.0.1:1"], { home });
    expect([exit, stdout]).toEqual([1, expect.stringContaining("cannot be reached")]);
  });
});
