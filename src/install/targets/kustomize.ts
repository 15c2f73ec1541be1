import { existsSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "../../errors.ts";
import { parseYaml, properties, sameProperty } from "../../yaml/parse.ts";
import { readText } from "../files.ts";
import { findKustomization } from "../kustomization.ts";
import { readRecipe } from "../recipe.ts";
import { gateProof, logProof, notifyProof, type Place, type RolloutScope, type Target } from "../target.ts";
import { assertDirectory } from "./profiles-dir.ts";

/** Where spinnaker-kustomize keeps the files that become the services' profiles. */
const LAYOUTS = ["overlays/config/files", "files", "config/files", "profiles"];

/**
 * The operator-less layout (spinnaker-kustomize): the profile files are edited in place, since kustomize cannot append
 * to an item of a ConfigMap. Without Halyard's defaults the plugins' directory has to be named, too.
 */
export function kustomizeTarget(directory: string): Target {
  assertDirectory(directory, "--kustomize");
  const files = LAYOUTS.map((layout) => join(directory, layout)).find((path) =>
    ["clouddriver-local.yml", "gate-local.yml"].some((name) => existsSync(join(path, name))),
  );
  if (files === undefined) {
    throw usageError("no-profiles", `${directory} has no profile files of the operator-less layout`, {
      detail: `looked in ${LAYOUTS.join(", ")}`,
      hint: findKustomization(directory)
        ? "with a SpinnakerService in it, use --operator; with profiles elsewhere, --profiles-dir"
        : "name the directory that holds overlays/config/files",
    });
  }
  const profile = (name: string) => ({ path: join(files, name), prefix: [] });
  const contextPath = gateContextPath(join(files, "gate-local.yml"));
  return {
    label: `kustomize:${directory}`,
    directory: files,
    version: undefined,
    versionSource: "the kustomization's images do not tell it reliably",
    plugin: [
      { ...profile("clouddriver-local.yml"), role: "clouddriver", pluginsRoot: "/opt/clouddriver/plugins" },
      { ...profile("gate-local.yml"), role: "gate", pluginsRoot: "/opt/gate/plugins" },
    ],
    polling: {
      write: profile("clouddriver-local.yml"),
      sources: [...mounted(directory), profile("spinnaker-local.yml"), profile("clouddriver-local.yml")],
    },
    notes: [],
    rollout: ({ gate }: RolloutScope) => [
      `kubectl kustomize ${directory} -o spinnaker.yaml && kubectl apply -f spinnaker.yaml`,
      "kubectl -n spinnaker rollout status deploy/clouddriver",
      ...(gate ? ["kubectl -n spinnaker rollout status deploy/gate"] : []),
    ],
    proof: (gateUrl) => [
      gateProof(gateUrl),
      logProof("spinnaker", "clouddriver"),
      notifyProof(`${contextPath}/aws/notify`),
    ],
  };
}

/** Configuration that components mount below the profiles, such as the one that turns the SQL cache on. */
function mounted(directory: string): Place[] {
  return readRecipe(directory).directories.flatMap((component) =>
    ["spinnaker.yml", "clouddriver.yml"]
      .map((name) => ({ path: join(component, "files", name), prefix: [] }))
      .filter(({ path }) => existsSync(path)),
  );
}

/** Gate's `server.servlet.context-path`, which the endpoint of the plugin begins with. */
function gateContextPath(path: string): string {
  const text = readText(path);
  if (text === undefined) return "";
  const found = properties(parseYaml(text, path)).find(({ keys }) =>
    sameProperty(keys, ["server", "servlet", "context-path"]),
  );
  return typeof found?.value === "string" ? found.value.replace(/\/$/, "") : "";
}
