import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");
const INDEX = "https://raw.githubusercontent.com/armory-plugins/pluginRepository/master/plugins.json";

let home: string;
let directory: string;
beforeEach(() => {
  home = temporaryDirectory();
  directory = temporaryDirectory();
});

const at = (name: string) => join(directory, name);
const read = (name: string) => readFileSync(at(name), "utf8");
function write(name: string, text: string): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
  return text;
}
function fixture(name: string, as: string): string {
  mkdirSync(dirname(at(as)), { recursive: true });
  copyFileSync(join(FIXTURES, name), at(as));
  return read(as);
}
const run = (...argv: string[]) => aec([...argv, "--yes"], { home });
const install = (...argv: string[]) => run("install", ...argv);

/** The plugin's lines of one profile, at a depth. */
function block(depth: number): string {
  const lines = [
    "spinnaker:",
    "  extensibility:",
    "    plugins:",
    "      Armory.AWSCATsOnEvent:",
    "        enabled: true",
    "        version: 0.2.1",
    "    repositories:",
    "      awsEventCache:",
    `        url: ${INDEX}`,
  ];
  return lines.map((line) => " ".repeat(depth) + line).join("\n");
}

const patch = (apiVersion: string, name = "spinnaker") => `apiVersion: ${apiVersion}
kind: SpinnakerService
metadata:
  name: ${name}
spec:
  spinnakerConfig:
    profiles:
      clouddriver:
${block(8)}
      gate:
${block(8)}
`;
const PATCH = "plugins/aws-event-cache-plugin.yml";

describe("--operator", () => {
  test("a recipe of the patches' layout: its own apiVersion, listed before the switch, through the link", async () => {
    const recipe = fixture("kustomization-01-oss-recipe.yml", "recipes/oss.yml");
    symlinkSync("recipes/oss.yml", at("kustomization.yml"));
    write("core/base/kustomization.yml", "kind: Component\nresources:\n  - service.yml\n");
    fixture("spinsvc-01-armory-base.yml", "core/base/service.yml");
    write(
      "core/patches/oss-version.yml",
      "kind: SpinnakerService\nspec:\n  spinnakerConfig:\n    config:\n      version: 1.30.1\n",
    );
    const { exit, stderr, stdout } = await install("--operator", directory);
    expect(exit, stderr).toBe(0);
    expect(read(PATCH)).toBe(patch("spinnaker.armory.io/v1alpha2"));
    expect(read("recipes/oss.yml")).toBe(recipe.replace(/(oss-version\.yml .*\n)/, `$1  - ${PATCH}\n`));
    expect(stderr).toContain("is a link to");
    expect(stdout).toContain(`kubectl -n spinnaker apply -k ${directory}\n`);
    expect((await install("--operator", directory)).stdout).toContain("nothing to change");

    expect((await run("uninstall", "--operator", directory)).exit).toBe(0);
    expect(read("recipes/oss.yml")).toBe(recipe);
    expect(existsSync(at(PATCH))).toBe(false);
  });

  test("a base of another name and group, with patches only: a target names it", async () => {
    const recipe = fixture("kustomization-06-no-patch-field.yml", "kustomization.yml");
    fixture("spinsvc-02-oss-base-other-name.yml", "spinnakerservice.yml");
    const { exit, stdout } = await install("--operator", directory);
    expect(exit).toBe(0);
    expect(read(PATCH)).toBe(patch("spinnaker.io/v1alpha2", "prod"));
    expect(read("kustomization.yml")).toBe(
      `${recipe}patches:\n  - path: ${PATCH}\n    target:\n      kind: SpinnakerService\n      name: prod\n`,
    );
    expect(stdout).toContain("rollout status deploy/spin-clouddriver-caching");
    expect(stdout).toContain("rollout status deploy/spin-clouddriver-ro-deck");
    await run("uninstall", "--operator", directory);
    expect(read("kustomization.yml")).toBe(recipe);
  });

  test.each([
    ["kustomization-02-commented-items.yml", /version\.yml {14}## set the version\n {2}- plugins\/aws-event/],
    [
      "kustomization-04-patches-only.yml",
      /switch-to-oss\.yml\n {2}- path: plugins\/aws-event.*\n {4}target:/,
    ],
    ["kustomization-11-empty-list.yml", /patchesStrategicMerge:\n {2}- plugins\/aws-event.*\n# {2}- a\.yml/],
  ])("%s", async (name, expected) => {
    const recipe = fixture(name, "kustomization.yml");
    for (const path of ["core/base", "."]) {
      write(
        join(path, "spinnakerservice.yml"),
        readFileSync(join(FIXTURES, "spinsvc-01-armory-base.yml"), "utf8"),
      );
    }
    write("core/base/kustomization.yml", "resources: [ spinnakerservice.yml ]\n");
    expect((await install("--operator", directory)).exit).toBe(0);
    expect(read("kustomization.yml")).toMatch(expected);
    for (const line of recipe.split("\n")) expect(read("kustomization.yml")).toContain(line);
    await run("uninstall", "--operator", directory);
    expect(read("kustomization.yml")).toBe(recipe);
  });

  test("an entry that is there, with ./ in front, is not added again", async () => {
    const recipe = fixture("kustomization-10-already-listed.yml", "kustomization.yml");
    write("core/base/kustomization.yml", "resources: [ s.yml ]\n");
    fixture("spinsvc-01-armory-base.yml", "core/base/s.yml");
    expect((await install("--operator", directory)).exit).toBe(0);
    expect(read("kustomization.yml")).toBe(recipe);
    expect(existsSync(at(PATCH))).toBe(true);
  });

  test("the published patch: each defect is mended where it stands, with a line for each", async () => {
    write(
      "kustomization.yml",
      `resources: [ base.yml ]\npatchesStrategicMerge:\n  - plugins/published.yml\n`,
    );
    fixture("spinsvc-01-armory-base.yml", "base.yml");
    fixture("spinsvc-03-published-patch.yml", "plugins/published.yml");
    const { exit, stderr } = await install("--operator", directory);
    expect(exit, stderr).toBe(0);
    expect(stderr).toMatch(
      /published\.yml:16: a repository in the profile spinnaker makes every service restart/,
    );
    expect(stderr).toMatch(
      /published\.yml:24: the profile clouddriver covers clouddriver-ro already: the alias \*cats/,
    );
    expect(stderr).toMatch(/published\.yml:22: the plugin has no version/);
    expect(stderr).toMatch(/spinnaker\.io\/v1alpha2 is not the base's spinnaker\.armory\.io/);
    expect(existsSync(at(PATCH))).toBe(false);
    expect(read("plugins/published.yml").replace(/^#.*\n/, "")).toBe(
      patch("spinnaker.armory.io/v1alpha2").replace("clouddriver:\n", "clouddriver: &cats\n"),
    );
    expect((await install("--operator", directory)).stdout).toContain("nothing to change");
  });

  test("a profile without the inner spinnaker: mended", async () => {
    write(
      "kustomization.yml",
      "resources: [ base.yml ]\npatches:\n  - path: gate.yml\n    target: { kind: SpinnakerService }\n",
    );
    fixture("spinsvc-01-armory-base.yml", "base.yml");
    fixture("spinsvc-06-missing-inner-spinnaker.yml", "gate.yml");
    const { stderr, exit } = await install("--operator", directory);
    expect(exit, stderr).toBe(0);
    expect(stderr).toContain('the profile gate lacks the inner "spinnaker:"');
    expect(read("gate.yml")).not.toMatch(/gate:\n {8}extensibility/);
    expect(read("gate.yml")).toContain(`      gate:\n${block(8)}\n`);
  });

  test("a plain manifest without a kustomization is edited in place", async () => {
    const before = fixture("spinsvc-01-armory-base.yml", "spinnakerservice.yml");
    const { exit, stderr, stdout } = await install("--operator", directory);
    expect(exit, stderr).toBe(0);
    expect(read("spinnakerservice.yml")).toContain(
      "clouddriver: {spinnaker: {extensibility: {plugins: {Armory.AWSCATsOnEvent:",
    );
    expect(stdout).toContain(`apply -f ${at("spinnakerservice.yml")}`);
    await run("uninstall", "--operator", directory);
    expect(read("spinnakerservice.yml")).toBe(before);
  });

  test("several documents in one file: the SpinnakerService is the one", async () => {
    const secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n";
    const service = patch("spinnaker.io/v1alpha2").split("    profiles:")[0] ?? "";
    write("all.yml", `${secret}---\n${service}    config:\n      version: 1.29.0\n`);
    expect((await install("--operator", directory)).exit).toBe(0);
    expect(read("all.yml").startsWith(secret)).toBe(true);
    expect(read("all.yml")).toContain("Armory.AWSCATsOnEvent:");
  });

  test("polling: in the patch, under the profile of the role that polls; uninstall leaves it", async () => {
    fixture("kustomization-06-no-patch-field.yml", "kustomization.yml");
    fixture("spinsvc-02-oss-base-other-name.yml", "spinnakerservice.yml");
    await install("--operator", directory);
    const set = await run("polling", "set", "--operator", directory, "--interval", "90s");
    expect(set.exit, set.stderr).toBe(0);
    // The caching role has a profile in the base: the value there is the one that counts.
    expect(read("spinnakerservice.yml")).toContain("intervalSeconds: 60");
    expect(set.stdout).toContain("rollout status deploy/spin-clouddriver-caching\n");
    await run("uninstall", "--operator", directory);
    expect(existsSync(at(PATCH))).toBe(false);
  });

  test("polling in a patch of aec's own survives the plugin", async () => {
    fixture("kustomization-06-no-patch-field.yml", "kustomization.yml");
    fixture("spinsvc-01-armory-base.yml", "spinnakerservice.yml");
    await install("--operator", directory);
    write("spinnakerservice.yml", read("spinnakerservice.yml").replace(/ {4}profiles:.*/s, ""));
    await run("polling", "set", "--operator", directory, "--interval", "90s");
    await run("uninstall", "--operator", directory);
    expect(read(PATCH)).toContain("intervalSeconds: 90");
    expect(read(PATCH)).not.toContain("Armory.AWSCATsOnEvent");
    expect(read("kustomization.yml")).toContain(PATCH);
  });

  test.each([
    ["--armory insists", ["--armory"], "spinsvc-02-oss-base-other-name.yml", /not Armory's/],
    ["a profile as a block of text", ["--operator"], "spinsvc-04-string-profile.yml", /block of text/],
  ])("refuses: %s", async (_, [flag = ""], service, reason) => {
    fixture(service, "spinnakerservice.yml");
    const { exit, stderr } = await install(flag, directory, "--spinnaker-version", "1.30.1");
    expect(stderr).toMatch(reason);
    expect(exit).toBe(2);
  });

  test("refuses a recipe with a field twice, two kustomizations, and a directory without a service", async () => {
    fixture("kustomization-08-duplicate-field.yml", "kustomization.yml");
    fixture("spinsvc-01-armory-base.yml", "spinnakerservice.yml");
    const twice = await install("--operator", directory);
    expect([twice.exit, twice.stderr]).toEqual([
      2,
      expect.stringContaining("kustomization.yml: invalid YAML: Map keys must be unique"),
    ]);
    write("kustomization.yaml", "resources: []\n");
    expect((await install("--operator", directory)).stderr).toContain("2 kustomization files");
    const empty = await install("--operator", temporaryDirectory());
    expect([empty.exit, empty.stderr]).toEqual([2, expect.stringContaining("no SpinnakerService")]);
    expect((await install("--operator", at("nowhere"))).stderr).toContain("there is no directory");
  });
});

describe("--kustomize", () => {
  test("the operator-less layout: files in place, with the plugins' directory that containers can write", async () => {
    const before = fixture("profile-01-comment-only.yml", "overlays/config/files/clouddriver-local.yml");
    fixture("profile-38-gate-context-path.yml", "overlays/config/files/gate-local.yml");
    const { exit, stdout, stderr } = await install("--kustomize", directory, "--spinnaker-version", "1.30.1");
    expect(exit, stderr).toBe(0);
    expect(read("overlays/config/files/clouddriver-local.yml")).toBe(
      `${before}${block(0)}\n    plugins-root-path: /opt/clouddriver/plugins\n`,
    );
    expect(read("overlays/config/files/gate-local.yml")).toContain("plugins-root-path: /opt/gate/plugins");
    expect(stdout).toContain("kubectl -n spinnaker rollout status deploy/clouddriver\n");
    expect(stdout).toContain("https://GATE/api/v1/aws/notify");
    await run("uninstall", "--kustomize", directory);
    expect(read("overlays/config/files/clouddriver-local.yml")).toBe(before);
  });

  test("its version is not known: exit 2 names the flag; polling has no such limit", async () => {
    fixture("profile-01-comment-only.yml", "overlays/config/files/clouddriver-local.yml");
    const { exit, stderr } = await install("--kustomize", directory);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("--spinnaker-version")]);
    expect((await run("polling", "set", "--kustomize", directory, "--interval", "60s")).exit).toBe(0);
  });

  test("a directory of another layout: what to use in its place", async () => {
    fixture("kustomization-01-oss-recipe.yml", "kustomization.yml");
    expect((await install("--kustomize", directory)).stderr).toContain("use --operator");
  });
});

describe("--profiles-dir", () => {
  test("profiles of a checkout; a caching profile gets the intervals", async () => {
    write("clouddriver-caching-local.yml", "sql:\n  enabled: true\n");
    expect((await install("--profiles-dir", directory, "--spinnaker-version", "1.29.2")).exit).toBe(0);
    expect(read("clouddriver-local.yml")).toBe(`${block(0)}\n`);
    await run("polling", "set", "--profiles-dir", directory, "--interval", "60s");
    expect(read("clouddriver-caching-local.yml")).toContain("intervalSeconds: 60");
  });
});

test("several targets at once are refused", async () => {
  const { exit, stderr } = await install("--halyard", "--operator", directory);
  expect([exit, stderr]).toEqual([2, expect.stringContaining("several targets")]);
});

describe("uninstall from lists that somebody edited since", () => {
  test.each([
    ["one of a line", "patchesStrategicMerge: [late.yml]"],
    ["the only one of a line", "patchesStrategicMerge: []"],
    ["behind a comment with a dash", "patchesStrategicMerge:\n  # a - b\n  - late.yml # c - d"],
  ])("%s", async (_, list) => {
    fixture("spinsvc-01-armory-base.yml", "service.yml");
    write("late.yml", "kind: ConfigMap\n");
    const text = write("kustomization.yml", `resources:\n  - service.yml\n${list}\n`);
    expect((await install("--operator", directory)).exit).toBe(0);
    write("kustomization.yml", `${read("kustomization.yml")}namespace: later\n`);
    const { exit, stderr } = await run("uninstall", "--operator", directory);
    expect(exit, stderr).toBe(0);
    expect(read("kustomization.yml")).toBe(`${text}namespace: later\n`);
  });
});

describe("recipes that cannot be followed to the end", () => {
  const service = (name: string, profiles: string) =>
    `apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nmetadata: { name: ${name} }\nspec: { spinnakerConfig: { config: { version: 1.30.1 }, profiles: ${profiles} } }\n`;

  test("two services of different names are refused by name", async () => {
    write("kustomization.yml", "resources: [blue.yml, green.yml]\n");
    write("blue.yml", service("blue", "{}"));
    write("green.yml", service("green", "{}"));
    const { exit, stderr } = await install("--operator", directory);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("blue, green")]);
  });

  test("a plugin in an inline patch is refused; another inline patch counts for the version", async () => {
    write("service.yml", service("spinnaker", "{}"));
    const inline = (body: string) =>
      `resources: [service.yml]\npatches:\n  - patch: |\n${body
        .split("\n")
        .map((line) => `      ${line}`)
        .join("\n")}\n`;
    const plugin = "{ gate: { spinnaker.extensibility.plugins.Armory.AWSCATsOnEvent.enabled: true } }";
    write("kustomization.yml", inline(service("spinnaker", plugin)));
    const refused = await install("--operator", directory);
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("move that patch to a file")]);
    write("kustomization.yml", inline(service("spinnaker", "{}").replace("1.30.1", "1.36.0")));
    const guarded = await install("--operator", directory);
    expect([guarded.exit, guarded.stderr]).toEqual([2, expect.stringContaining("1.36.0")]);
  });

  test("what is remote is named, and a list that is none is refused", async () => {
    write("service.yml", service("spinnaker", "{}"));
    write("kustomization.yml", "resources: [service.yml, github.com/example/base?ref=v1]\n");
    expect((await install("--operator", directory)).stderr).toContain("github.com/example/base?ref=v1");
    write("kustomization.yml", "resources: service.yml\n");
    const { exit, stderr } = await install("--operator", directory);
    expect([exit, stderr]).toEqual([2, expect.stringContaining("resources is not a list")]);
  });
});

describe("polling reads what the layout mounts below the profiles", () => {
  const SQL = "sql: { cache: { enabled: true } }\nredis: { enabled: false }\n";
  const set = (...argv: string[]) => run("polling", "set", ...argv, "--interval", "90s");

  test("operator-less: a component's clouddriver.yml turns the SQL cache on", async () => {
    write("kustomization.yml", "components: [components/mysql, overlays/config]\n");
    write("components/mysql/kustomization.yml", "kind: Component\n");
    write("components/mysql/files/clouddriver.yml", SQL);
    write("overlays/config/kustomization.yml", "kind: Component\n");
    write("overlays/config/files/clouddriver-local.yml", "");
    expect((await set("--kustomize", directory)).exit).toBe(0);
    expect(read("overlays/config/files/clouddriver-local.yml")).toBe(
      "sql:\n  agent:\n    poll:\n      intervalSeconds: 90\n",
    );
  });

  test("a profile that replaces the generated one", async () => {
    write("clouddriver.yml", SQL);
    await set("--profiles-dir", directory);
    expect(read("clouddriver-local.yml")).toContain("sql:\n  agent:");
  });

  test("a lower profile in a later patch does not win over a higher one", async () => {
    const patch = (profile: string, seconds: number, rest = "") =>
      `apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nmetadata: { name: spinnaker }\nspec: { spinnakerConfig: { ${rest}profiles: { ${profile}: { redis: { poll: { intervalSeconds: ${seconds} } } } } } }\n`;
    write("kustomization.yml", "resources: [service.yml]\npatchesStrategicMerge: [late.yml]\n");
    write("service.yml", patch("clouddriver", 60, "config: { version: 1.30.1 }, "));
    write("late.yml", patch("spinnaker", 300));
    const { json } = await aec(["polling", "get", "--operator", directory, "-o", "json"], { home });
    expect(json<{ effective: { intervalSeconds: number } }>().effective.intervalSeconds).toBe(60);
  });
});

describe("odd input is told, not stumbled over", () => {
  test.each([["deploymentConfigurations: {}\n"], ["deploymentConfigurations: [null]\n"], ["- a list\n"]])(
    "a hal config of %j",
    async (config) => {
      write("config", config);
      const { exit, stderr } = await run("polling", "get", "--hal-dir", directory);
      expect([exit, stderr]).toEqual([2, expect.stringContaining("neither a config nor a deployment")]);
    },
  );

  test.each(["--hal-dir", "--operator", "--kustomize", "--profiles-dir"])("an empty %s", async (flag) => {
    const { exit, stderr } = await run("polling", "get", flag, "");
    expect([exit, stderr]).toEqual([2, expect.stringContaining("is empty")]);
  });
});
