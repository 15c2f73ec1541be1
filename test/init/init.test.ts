import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../src/config/file.ts";
import { addEnvironment } from "../../src/init/add-environment.ts";
import { parseYaml } from "../../src/yaml/parse.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { testSite } from "../helpers/site.ts";

const VARIABLE = "$" + "{AEC_LOCK_STORE}";
/** Nobody answers there. */
const NOBODY = { fetch: async () => Promise.reject(new TypeError("connection refused")) };

function place(files: Record<string, string> = {}) {
  const cwd = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  return cwd;
}
const written = (cwd: string) => readConfig(join(cwd, "aec.yml")).config;

describe("aec init", () => {
  test("in CI: what is found and what is given, without a question; doctor and refresh then work with it", async () => {
    const site = await testSite();
    const cwd = place({
      ".hal/config": "currentDeployment: default\n",
      ".aws/config": "[default]\nregion = eu-west-1\n[profile spinnaker]\n[sso-session x]\n",
      ".spin/config": "gate:\n  endpoint: https://gate.example.com\n",
    });
    const env = { AEC_CLOUDDRIVER_URL: site.env.AEC_CLOUDDRIVER_URL };
    const { exit, stderr, json } = await aec(
      [
        "--env",
        "prod",
        "init",
        "--lock-store",
        "redis://redis:6379",
        "--topic-name",
        "aec-prod",
        "--yes",
        "-o",
        "json",
      ],
      { cwd, home: cwd, env, clock: site.clock },
    );
    expect(exit, stderr).toBe(0);
    expect(json()).toMatchObject({ path: join(cwd, "aec.yml"), written: true });
    expect(written(cwd).environments).toEqual({
      prod: {
        kind: "production",
        target: { halyard: "~/.hal" },
        clouddriver: [site.env.AEC_CLOUDDRIVER_URL],
        lockStore: "redis://redis:6379",
        gate: "https://gate.example.com",
        awsRegion: "eu-west-1",
        notify: { topicName: "aec-prod", regions: ["us-east-1"] },
        accounts: [{ name: "prod", awsAccountId: "012345678901", regions: ["us-east-1"] }],
      },
    });
    const refreshed = await site.aec(["refresh", "--account", "prod", "--type", "vpc"], { cwd, home: cwd });
    expect(refreshed.exit, refreshed.stderr).toBe(0);
    const schema = JSON.parse(readFileSync(join(cwd, "aec.schema.json"), "utf8"));
    expect(Object.keys(schema.properties)).toEqual(["version", "defaultEnvironment", "environments"]);
    expect(readFileSync(join(cwd, "aec.yml"), "utf8")).toContain("$schema=aec.schema.json");
  });

  test.each([
    [
      "operator",
      {
        "spin/kustomization.yml": "",
        "spin/service.yml": "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\n",
      },
    ],
    [
      "armory",
      {
        "a/b/kustomization.yaml": "",
        "a/b/s.yml": "apiVersion: spinnaker.armory.io/v1alpha2\nkind: SpinnakerService\n",
      },
    ],
    ["kustomize", { "deploy/overlays/config/files/clouddriver.yml": "" }],
  ])("finds %s in the checkout", async (kind, files) => {
    const cwd = place(files);
    const { exit } = await aec(["init", "--yes"], { cwd, ...NOBODY });
    expect(exit).toBe(0);
    const [first] = Object.keys(files)[0]?.split(/\/(?:kustomization|overlays)/) ?? [];
    expect(written(cwd).environments.default?.target).toEqual({ [kind]: `./${first}` });
  });

  test("a person is asked for what is not found, sees the file, and may decline", async () => {
    const cwd = place();
    const typed = ["http://clouddriver:7002", "redis://:secret@redis:6379", ""];
    const declined = await aec(["init"], { cwd, tty: true, typed: [...typed], answer: false, ...NOBODY });
    expect([declined.exit, existsSync(join(cwd, "aec.yml"))]).toEqual([1, false]);
    expect(declined.stderr).toContain(`lockStore: ${VARIABLE}`);
    const { exit } = await aec(["init"], { cwd, tty: true, typed: [...typed], answer: true, ...NOBODY });
    expect(exit).toBe(0);
    const section = parse(readFileSync(join(cwd, "aec.yml"), "utf8")).environments.default;
    expect(section).toEqual({
      kind: "production",
      clouddriver: ["http://clouddriver:7002"],
      lockStore: VARIABLE,
    });
  });

  test("an answer that cannot be is asked for again, a flag that cannot be is refused", async () => {
    const cwd = place();
    const typed = ["clouddriver:7002", "http://clouddriver:7002", "localhost:6379", "", "mars", "us-east-1"];
    const { exit, stderr } = await aec(["init"], { cwd, tty: true, typed, answer: true, ...NOBODY });
    expect([exit, stderr.match(/"[^"]+" cannot be that/g)]).toEqual([
      0,
      ['"clouddriver:7002" cannot be that', '"localhost:6379" cannot be that', '"mars" cannot be that'],
    ]);
    const section = parse(readFileSync(join(cwd, "aec.yml"), "utf8")).environments.default;
    expect(section).toEqual({
      kind: "production",
      clouddriver: ["http://clouddriver:7002"],
      awsRegion: "us-east-1",
    });
    const flag = await aec(["init", "--yes", "--aws-region", "mars"], { cwd: place(), ...NOBODY });
    expect([flag.exit, flag.stderr]).toEqual([2, expect.stringContaining('AWS Region of the topic: "mars"')]);
  });

  test("how SNS delivers is written where it is said", async () => {
    const cwd = place();
    const endpoint = "https://gate.example.com/aws/notify";
    expect((await aec(["init", "--yes", "--endpoint", endpoint], { cwd, ...NOBODY })).exit).toBe(0);
    expect(written(cwd).environments.default?.notify).toEqual({ endpoint });
    const queue = place();
    expect((await aec(["init", "--yes", "--protocol", "sqs"], { cwd: queue, ...NOBODY })).exit).toBe(0);
    expect(written(queue).environments.default?.notify).toEqual({ protocol: "sqs" });
    const wrong = await aec(["init", "--yes", "--endpoint", "gate"], { cwd: place(), ...NOBODY });
    expect(wrong.exit).toBe(2);
  });

  test("what carries a password is not written", async () => {
    const cwd = place({ ".spin/config": "gate:\n  endpoint: https://me:secret@gate.example.com\n" });
    const argv = [
      "--clouddriver-url",
      "http://me:secret@clouddriver:7002",
      "--lock-store",
      "redis://r:6379?password=secret",
    ];
    expect((await aec([...argv, "init", "--yes"], { cwd, home: cwd, ...NOBODY })).exit).toBe(0);
    const text = readFileSync(join(cwd, "aec.yml"), "utf8");
    expect(text).not.toContain("secret");
    for (const variable of ["AEC_CLOUDDRIVER_URL", "AEC_LOCK_STORE", "AEC_GATE_URL"])
      expect(text).toContain(variable);
  });

  test("the accounts are read from a Clouddriver that a person names", async () => {
    const site = await testSite();
    const cwd = place();
    const typed = [site.clouddriver.url, "", ""];
    expect((await aec(["init"], { cwd, tty: true, typed, answer: true })).exit).toBe(0);
    expect(written(cwd).environments.default?.accounts).toMatchObject([{ name: "prod" }]);
  });

  test("--dry-run writes nothing; a file that is there is left alone; nobody to ask needs --yes", async () => {
    const cwd = place();
    const dry = await aec(["init", "--dry-run", "--kind", "non-production"], { cwd, ...NOBODY });
    expect([dry.exit, existsSync(join(cwd, "aec.yml"))]).toEqual([0, false]);
    expect(dry.stdout).toContain("kind: non-production");
    // What is commented out is right, too.
    const all = dry.stdout.replaceAll(/^ {4}# ([a-zA-Z]+: [[{a-z].*)$/gm, "    $1");
    writeFileSync(join(cwd, "all.yml"), all);
    expect(Object.keys(readConfig(join(cwd, "all.yml")).config.environments.default ?? {})).toHaveLength(10);
    const unasked = await aec(["init"], { cwd, ...NOBODY });
    expect([unasked.exit, unasked.stderr]).toEqual([2, expect.stringContaining("--yes")]);
    writeFileSync(join(cwd, "aec.yml"), "version: 1\nenvironments: {}\n");
    const again = await aec(["init", "--yes"], { cwd, ...NOBODY });
    expect([again.exit, again.stderr]).toEqual([2, expect.stringContaining("is there already")]);
    expect(readFileSync(join(cwd, "aec.yml"), "utf8")).toBe("version: 1\nenvironments: {}\n");
  });

  test("--env NAME adds an environment to a file that is there; every other byte stays", async () => {
    const cwd = place();
    expect((await aec(["--env", "prod", "init", "--yes"], { cwd, ...NOBODY })).exit).toBe(0);
    const first = readFileSync(join(cwd, "aec.yml"), "utf8");
    const argv = ["--env", "staging", "init", "--kind", "non-production", "--aws-region", "eu-west-1"];
    const dry = await aec([...argv, "--dry-run"], { cwd, ...NOBODY });
    expect([dry.exit, dry.stdout]).toEqual([0, expect.stringMatching(/^\+ {2}staging:$/m)]);
    expect(dry.stdout).not.toMatch(/^-[^-]/m);
    const { exit, stderr } = await aec([...argv, "--yes"], { cwd, ...NOBODY });
    expect(exit, stderr).toBe(0);
    expect(written(cwd)).toEqual({
      version: 1,
      defaultEnvironment: "prod",
      environments: {
        prod: { kind: "production" },
        staging: { kind: "non-production", awsRegion: "eu-west-1" },
      },
    });
    const text = readFileSync(join(cwd, "aec.yml"), "utf8");
    expect(text.replace("defaultEnvironment: prod\n", "").startsWith(first)).toBe(true);
    const again = await aec([...argv, "--yes"], { cwd, ...NOBODY });
    expect([again.exit, again.stderr]).toEqual([2, expect.stringContaining('"staging" already')]);
    expect(readFileSync(join(cwd, "aec.yml"), "utf8")).toBe(text);
  });

  test.each([
    ["in braces", "version: 1\nenvironments: { prod: {} }\n", "aec.yml:2:1: environments is not written"],
    ["none yet", "version: 1\nenvironments: {}\n", "aec.yml:2:1: environments is not written"],
    ["not valid", "version: 1\nenvironments:\n  prod:\n    knd: production\n", 'unknown key "knd"'],
  ])("a file with environments %s is left alone", async (_, text, told) => {
    const cwd = place({ "aec.yml": text });
    const { exit, stderr } = await aec(["--env", "staging", "init", "--yes"], { cwd, ...NOBODY });
    expect([exit, stderr]).toEqual([2, expect.stringContaining(told)]);
    expect(readFileSync(join(cwd, "aec.yml"), "utf8")).toBe(text);
  });

  test("property: whatever surrounds the environments, only lines are added", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const file = fc.record({
      bom: fc.constantFrom("", "\uFEFF"),
      eol: fc.constantFrom("\n", "\r\n"),
      indent: fc.constantFrom("  ", "    "),
      names: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      value: fc.constantFrom(
        " {}",
        " { kind: production }",
        "\n@@kind: production",
        "\n@@# none\n@@heal: true # yes",
      ),
      tail: fc.constantFrom(
        "",
        "\n",
        "\n@@# polling: {}\n",
        "\n\n# the end\n",
        "\ndefaultEnvironment: &d x\n",
      ),
    });
    fc.assert(
      fc.property(file, name, ({ bom, eol, indent, names, value, tail }, added) => {
        fc.pre(!names.includes(added));
        const lines = names.map((one) => `${indent}${one}:${value}`).join("\n");
        const text = `${bom}version: 1\nenvironments:\n${lines}${tail}`
          .replaceAll("@@", indent.repeat(2))
          .replaceAll("\n", eol);
        const after = addEnvironment(parseYaml(text, "aec.yml"), {
          environment: added,
          kind: "production",
          section: { awsRegion: "us-east-1" },
        });
        const rest = after.split(eol);
        for (const line of text.trimEnd().split(eol))
          expect(rest.splice(0, rest.indexOf(line) + 1)).toContain(line);
        expect(parse(after).environments[added]).toEqual({ kind: "production", awsRegion: "us-east-1" });
      }),
    );
  });

  /** What Clouddriver takes for an account: its defaults, no empty values, none that are off. */
  const AWS = `{ enabled: true, defaultRegions: [{ name: us-east-1 }], defaultAssumeRole: "role/{{name}}", accounts: [${[
    "{ name: prod, accountId: 012345678901, regions: [], sessionName: null }",
    "{ name: broken }",
    "{ name: off, accountId: 123456789012, enabled: false }",
    '{ name: eu, accountId: "210987654321", regions: [{ name: eu-west-1 }], assumeRole: role/x, externalId: "7" }',
  ].join(", ")}] }\n`;
  const deployment = (name: string, aws: string) => `- name: ${name}\n  providers:\n    aws: ${aws}`;

  test.each([
    [
      "Halyard's",
      {
        ".hal/config": `currentDeployment: spinnaker\ndeploymentConfigurations:\n${deployment("default", "{ accounts: [{ name: no, accountId: 1 }] }\n")}${deployment("spinnaker", AWS)}`,
        ".hal/default/profiles/clouddriver-local.yml": "aws: { accounts: [{ name: no, accountId: 1 }] }\n",
      },
    ],
    [
      "Halyard's local",
      { ".hal/config": "{}", ".hal/default/profiles/clouddriver-local.yml": `aws: ${AWS}` },
    ],
    [
      "a patch of the SpinnakerService",
      {
        "spin/kustomization.yml": "",
        "spin/service.yml": "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\n",
        "spin/accounts/patch.yml": `spec:\n  spinnakerConfig:\n    config:\n      providers:\n        aws: ${AWS}`,
        "spin/broken.yml": "aws: [",
      },
    ],
    [
      "Clouddriver's",
      {
        "overlays/config/files/clouddriver.yml": `aws: ${AWS}`,
        "staging/clouddriver.yml":
          "aws: { accounts: [{ name: twice, accountId: 111111111111 }, { name: eu, accountId: 210987654321, regions: [{ name: eu-west-1 }], assumeRole: role/x, externalId: '7' }] }",
        "prod/clouddriver.yml": "aws: { accounts: [{ name: twice, accountId: 222222222222 }] }",
      },
    ],
  ])(
    "accounts are read from %s files where no Clouddriver tells them",
    async (_, files: Record<string, string>) => {
      const cwd = place(files);
      const { exit, stderr } = await aec(["init", "--yes"], { cwd, home: cwd, ...NOBODY });
      expect([exit, stderr]).toEqual([0, expect.stringMatching(/AWS accounts (prod, eu|eu, prod)$/m)]);
      expect(stderr.includes("do not agree on AWS account twice")).toBe("prod/clouddriver.yml" in files);
      const { accounts, notify } = written(cwd).environments.default ?? {};
      expect(accounts?.toSorted((a, b) => b.name.localeCompare(a.name))).toEqual([
        { name: "prod", awsAccountId: "012345678901", regions: ["us-east-1"], assumeRole: "role/prod" },
        {
          name: "eu",
          awsAccountId: "210987654321",
          regions: ["eu-west-1"],
          assumeRole: "role/x",
          externalId: "7",
        },
      ]);
      expect(notify?.regions?.toSorted()).toEqual(["eu-west-1", "us-east-1"]);
    },
  );

  test("a file that is found elsewhere is the one that is added to; forwarded ports are not written", async () => {
    const home = place({ ".config/aec/aec.yml": "\uFEFFenvironments:\n  prod: {}\nversion: 1\n" });
    const cwd = place();
    const path = join(home, ".config", "aec", "aec.yml");
    const { exit, stderr } = await aec(["--env", "eu", "init", "--yes"], { cwd, home, ...NOBODY });
    expect(exit, stderr).toBe(0);
    expect(existsSync(join(cwd, "aec.yml"))).toBe(false);
    expect(Object.keys(readConfig(path).config.environments)).toEqual(["prod", "eu"]);
    expect(readFileSync(path, "utf8")).toMatch(/^\uFEFFdefaultEnvironment: prod\nenvironments:\n/);
    const odd = await aec(["--env", "a\nb", "init", "--yes"], { cwd, home, ...NOBODY });
    expect([odd.exit, odd.stderr]).toEqual([2, expect.stringContaining("cannot be the name")]);
  });
});
