import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { testAws } from "../helpers/aws.ts";

interface Settings {
  settings: { name: string; value: unknown; origin: string }[];
}

function directory(yaml: string): string {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, "aec.yml"), yaml);
  return cwd;
}

async function settings(cwd: string, argv: string[] = [], env: Record<string, string> = {}) {
  const outcome = await aec(["status", "--settings", "-o", "json", ...argv], { cwd, env });
  expect(outcome.exit, outcome.stdout).toBe(0);
  const found = outcome.json<Settings>().settings;
  return (name: string) => found.find((setting) => setting.name === name);
}

const TWO = `version: 1
defaultEnvironment: prod
environments:
  prod:
    gate: https://gate.example.com
    lockStore: redis://:\${REDIS_PASSWORD}@redis:6379
  staging:
    gate: https://gate.staging.example.com
`;

describe("precedence", () => {
  test("the Region of an AWS profile stands where nothing else names one", async () => {
    const cwd = directory("version: 1\nenvironments: { prod: { awsProfile: spinnaker } }\n");
    const file = join(cwd, "aws.ini");
    writeFileSync(
      file,
      "[default]\nregion=eu-west-1\n[profile spinnaker]\nregion = us-west-2\n[profile plain]\ns3 =\n  region = x\n[profile 'with space']\n  region = eu-south-1\n",
    );
    const region = async (argv: string[], env = {}) =>
      (await settings(cwd, argv, { AWS_CONFIG_FILE: file, ...env }))("profileRegion");
    expect(await region([])).toEqual({
      name: "profileRegion",
      value: "us-west-2",
      origin: "AWS profile spinnaker",
    });
    expect(await region(["--aws-profile", "with space"])).toMatchObject({ value: "eu-south-1" });
    const credentials = join(cwd, "credentials.ini");
    writeFileSync(credentials, "[plain]\nregion = ap-south-1\n[default]\naws_access_key_id = x\n");
    const both = { AWS_SHARED_CREDENTIALS_FILE: credentials };
    expect(await region(["--aws-profile", "plain"], both)).toMatchObject({ value: "ap-south-1" });
    expect(await region(["--aws-profile", "default"], both)).toMatchObject({ value: "eu-west-1" });
    expect(await region(["--aws-profile", "default"])).toMatchObject({ value: "eu-west-1" });
    expect(await region(["--aws-profile", "plain"])).toMatchObject({ origin: "not set" });
    writeFileSync(join(cwd, "aec.yml"), TWO.replace("gate:", "awsProfile: $" + "{NONE}\n    gate:"));
    expect(await region([])).toMatchObject({ value: null, origin: expect.stringContaining("{NONE}") });
    const argv = ["sns", "status", "--aws-profile", "plain"];
    const none = await aec(argv, { cwd: temporaryDirectory(), env: { AWS_CONFIG_FILE: file } });
    expect([none.exit, none.stderr]).toEqual([2, expect.stringContaining("no AWS Region")]);
    const { run, aws } = await testAws();
    await run("sns status", { env: { AWS_REGION: "", AWS_CONFIG_FILE: file } });
    expect(new Set(aws.requests.map(({ region: asked }) => asked))).toEqual(new Set(["eu-west-1"]));
  });

  test("flag, then variable, then aec.yml, then default; each with its origin", async () => {
    const cwd = directory(TWO);
    const env = { REDIS_PASSWORD: "x" };
    expect(
      (await settings(cwd, ["--gate-url", "http://a"], { ...env, AEC_GATE_URL: "http://b" }))("gate"),
    ).toEqual({
      name: "gate",
      value: "http://a",
      origin: "--gate-url",
    });
    expect((await settings(cwd, [], { ...env, AEC_GATE_URL: "http://b" }))("gate")).toMatchObject({
      value: "http://b",
      origin: "AEC_GATE_URL",
    });
    expect((await settings(cwd, [], env))("gate")).toMatchObject({
      value: "https://gate.example.com",
      origin: `${join(cwd, "aec.yml")}: environments.prod.gate`,
    });
    expect((await settings(cwd, ["--env", "staging"], env))("gate")?.value).toBe(
      "https://gate.staging.example.com",
    );
    expect((await settings(temporaryDirectory()))("environment")).toMatchObject({
      value: "default",
      origin: "default",
    });
  });

  test("the file: --config, the working directory, the user's configuration", async () => {
    const cwd = directory(TWO);
    const home = temporaryDirectory();
    mkdirSync(join(home, ".config", "aec"), { recursive: true });
    writeFileSync(join(home, ".config", "aec", "aec.yml"), "version: 1\nenvironments: { mine: {} }\n");
    const run = (argv: string[], where: string) =>
      aec(["status", "--settings", "-o", "json", ...argv], {
        cwd: where,
        home,
        env: { REDIS_PASSWORD: "x" },
      });
    const environment = async (argv: string[], where: string) =>
      (await run(argv, where)).json<Settings>().settings[0]?.value;
    expect(await environment([], home)).toBe("mine");
    expect(await environment([], cwd)).toBe("prod");
    expect(await environment(["--config", join(cwd, "aec.yml")], home)).toBe("prod");
    expect((await run(["--config", "nowhere.yml"], home)).exit).toBe(2);
  });

  test("passwords are never shown", async () => {
    const cwd = directory(TWO);
    const outcome = await aec(["status", "--settings"], {
      cwd,
      env: { REDIS_PASSWORD: "hunter2", AEC_SERVE_TOKEN: "t0ken" },
    });
    expect(outcome.stdout).toContain("redis://:***@redis:6379");
    expect(outcome.stdout + outcome.stderr).not.toMatch(/hunter2|t0ken/);
  });
});

test("a variable that is not set stops only what needs its value", async () => {
  const cwd = directory("version: 1\nenvironments:\n  a:\n    gate: $\u007bGATE}\n");
  expect((await settings(cwd))("gate")).toMatchObject({
    value: null,
    origin: expect.stringMatching(/names \$\{GATE\}, which is not set/),
  });
  const { exit, stderr } = await aec(["install", "--verify"], { cwd });
  expect([exit, stderr]).toEqual([2, expect.stringContaining("export GATE")]);
});

describe("mistakes: exit 2 with file, line, column and what to do", () => {
  test.each([
    [
      "version: 1\nenvironments:\n  prod:\n    gaet: x\n",
      /aec\.yml:4:5: unknown key "gaet"\nhint: did you mean "gate"\?/,
    ],
    [
      "version: 1\nenvironments:\n  prod:\n    kind: prod\n",
      /aec\.yml:4:5: environments\.prod\.kind .*production/,
    ],
    ["version: 2\nenvironments: {}\n", /aec\.yml:1:1: version/],
    ["version: 1\nenvironments:\n  a: {\n", /aec\.yml:\d+:\d+: /],
    [
      "version: 1\nenvironments:\n  a:\n    accounts:\n      - { name: x, awsAccountId: 012345678901 }\n",
      /aec\.yml:5:\d+: .*quoted/,
    ],
    [
      "version: 1\nenvironments:\n  a:\n    polling: { interval: soon }\n",
      /aec\.yml:4:\d+: .*not a duration/,
    ],
    [
      "version: 1\ndefaultEnvironment: prd\nenvironments:\n  prod: {}\n",
      /"prd".*\nhint: did you mean "prod"\?/,
    ],
  ])("%j", async (yaml, message) => {
    const { exit, stderr } = await aec(["status", "--settings"], { cwd: directory(yaml) });
    expect(stderr).toMatch(message);
    expect(exit).toBe(2);
  });
});
