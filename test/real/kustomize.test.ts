import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { cacheDir } from "./clouddriver/cache-dir.ts";

const ARMORY = "spinnaker.armory.io/v1alpha2";
const service = (body: string, name = "spinnaker") =>
  `apiVersion: ${ARMORY}\nkind: SpinnakerService\nmetadata:\n  name: ${name}\nspec:\n  spinnakerConfig:\n${body}`;
const kustomization = (body: string) =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${body}`;

/** Recipes of the shapes that sites have, in a directory of each test's own. */
const RECIPES: Record<string, Record<string, string>> = {
  "the OSS recipe, with the switch of the apiVersion at the end": {
    "recipes/kustomization-oss.yml": kustomization(
      "namespace: spinnaker\ncomponents:\n  - core/base\npatchesStrategicMerge:\n  - core/patches/version.yml   # version\npatches:\n  - target:\n      kind: SpinnakerService\n    path: utilities/switch-to-oss.yml\n",
    ),
    "utilities/switch-to-oss.yml": "- op: replace\n  path: /apiVersion\n  value: spinnaker.io/v1alpha2\n",
  },
  "the Armory recipe": {
    "recipes/kustomization-armory.yml": kustomization(
      "namespace: spinnaker\ncomponents:\n  - core/base\npatchesStrategicMerge:\n  - core/patches/version.yml\n",
    ),
  },
  "a recipe with patches only": {
    "recipes/kustomization-patches.yml": kustomization(
      "namespace: spinnaker\ncomponents:\n  - core/base\npatches:\n  - path: core/patches/version.yml\n",
    ),
  },
};
const BASE = {
  "core/base/kustomization.yml":
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources:\n  - service.yml\n",
  "core/base/service.yml": service(
    "    profiles:\n      clouddriver:\n        aws:\n          enabled: true\n      gate: {}\n",
  ),
  "core/patches/version.yml": service("    config:\n      version: 1.30.1\n"),
};

function makeRecipe(files: Record<string, string>): string {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries({ ...BASE, ...files })) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const recipe = Object.keys(files).find((name) => name.startsWith("recipes/"));
  if (recipe) symlinkSync(recipe, join(directory, "kustomization.yml"));
  return directory;
}

describe.each(["5.3.0", "5.8.2"])("kustomize %s", (version) => {
  const bin = join(cacheDir(), `kustomize-${version}`);
  let home: string;
  beforeEach(() => {
    home = temporaryDirectory();
  });
  const build = (directory: string) =>
    execFileSync(join(bin, "kustomize"), ["build", directory], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  const run = (...argv: string[]) => aec([...argv, "--yes"], { home, env: { PATH: `${bin}:/usr/bin:/bin` } });
  const built = (directory: string) => {
    const parsed = parseAllDocuments(build(directory));
    const documents = "empty" in parsed ? [] : parsed.map((document) => document.toJS());
    return documents.find(({ kind }) => kind === "SpinnakerService");
  };

  test.each(Object.entries(RECIPES))("%s", async (_, files) => {
    const directory = makeRecipe(files);
    const before = build(directory);
    const installed = await run("install", "--operator", directory);
    expect(installed.exit, installed.stderr).toBe(0);
    expect(installed.stderr).not.toContain("could not be checked");
    const { profiles } = built(directory).spec.spinnakerConfig;
    for (const role of ["clouddriver", "gate"]) {
      expect(profiles[role].spinnaker.extensibility.plugins["Armory.AWSCATsOnEvent"]).toEqual({
        enabled: true,
        version: "0.2.1",
      });
    }
    expect(profiles.clouddriver.aws).toEqual({ enabled: true });
    expect(built(directory).apiVersion).toBe(
      JSON.stringify(files).includes("switch-to-oss") ? "spinnaker.io/v1alpha2" : ARMORY,
    );

    expect((await run("polling", "set", "--operator", directory, "--interval", "90s")).exit).toBe(0);
    expect(built(directory).spec.spinnakerConfig.profiles.clouddriver.redis.poll.intervalSeconds).toBe(90);
    expect((await run("install", "--operator", directory)).stdout).toContain("nothing to change");
    await run("uninstall", "--operator", directory);
    expect(built(directory).spec.spinnakerConfig.profiles.clouddriver.spinnaker).toBeUndefined();
    expect(before).not.toContain("AWSCATsOnEvent");
  });

  test("install and uninstall leave the build as it was", async () => {
    for (const files of Object.values(RECIPES)) {
      const directory = makeRecipe(files);
      const before = build(directory);
      await run("install", "--operator", directory);
      await run("uninstall", "--operator", directory);
      expect(build(directory)).toBe(before);
    }
  });

  test("the vendor's published patch is mended, and the build agrees", async () => {
    const armory = RECIPES["the Armory recipe"] ?? {};
    const directory = makeRecipe({
      "recipes/kustomization-armory.yml": `${armory["recipes/kustomization-armory.yml"]}  - plugins/event-cache.yml\n`,
      "plugins/event-cache.yml": readFileSync(
        join(import.meta.dirname, "..", "fixtures", "spinsvc-03-published-patch.yml"),
        "utf8",
      ).replace(/^apiVersion: .*/m, `apiVersion: ${ARMORY}`),
    });
    const { exit, stderr } = await run("install", "--operator", directory);
    expect(exit, stderr).toBe(0);
    const { profiles } = built(directory).spec.spinnakerConfig;
    expect(profiles.spinnaker).toBeUndefined();
    expect(profiles.gate.spinnaker.extensibility.plugins["Armory.AWSCATsOnEvent"]).toEqual({
      enabled: true,
      version: "0.2.1",
    });
  });

  test("what failed before is not blamed on the edit", async () => {
    const recipe = RECIPES["the Armory recipe"] ?? {};
    const directory = makeRecipe({
      ...recipe,
      // Strict parsing refuses an apiVersion in here from 5.4.0 on.
      "recipes/kustomization-armory.yml": `${recipe["recipes/kustomization-armory.yml"]}configurations:\n  - bindings.yml\n`,
      "bindings.yml":
        "apiVersion: v1\nnameReference:\n  - kind: ServiceAccount\n    fieldSpecs:\n      - path: subjects/name\n        kind: RoleBinding\n",
    });
    const { exit, stderr } = await run("install", "--operator", directory);
    expect(exit, stderr).toBe(0);
    if (version === "5.8.2") expect(stderr).toContain("does not build as it is, before any change");
    else expect(stderr).not.toContain("does not build");
  });

  test("the operator-less layout: only the edited ConfigMap changes", async () => {
    const directory = makeRecipe({
      "kustomization.yml": kustomization(
        "components:\n  - overlays/config\nresources:\n  - deployment.yml\n",
      ),
      "deployment.yml":
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: clouddriver\nspec:\n  template:\n    spec:\n      volumes:\n        - name: config\n          configMap:\n            name: clouddriver\n",
      "overlays/config/kustomization.yml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator:\n- name: clouddriver\n  files:\n  - files/clouddriver-local.yml\n- name: gate\n  files:\n  - files/gate-local.yml\n",
      "overlays/config/files/clouddriver-local.yml": "# Overrides for clouddriver go here.\n",
      "overlays/config/files/gate-local.yml": "server:\n  servlet:\n    context-path: /api/v1\n",
    });
    const before = build(directory);
    const { exit, stdout } = await run("polling", "set", "--kustomize", directory, "--interval", "60s");
    expect(exit).toBe(0);
    expect(stdout).toContain("kubectl kustomize");
    const after = build(directory);
    expect(after).toContain("intervalSeconds: 60");
    const gate = (text: string) => /name: gate-\w+/.exec(text)?.[0];
    const clouddriver = (text: string) => /name: clouddriver-\w+/.exec(text)?.[0];
    expect(gate(after)).toBe(gate(before));
    expect(clouddriver(after)).not.toBe(clouddriver(before));
  });
});
