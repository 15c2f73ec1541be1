import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { messageOf } from "../errors.ts";
import type { World } from "../world.ts";
import { PLUGIN_ID } from "./plugin.ts";

/** What `kustomize build` made of a directory: its documents, or why there are none. */
export type Build = { documents: readonly unknown[] } | { failed: string };

const MAX_OUTPUT_BYTES = 256 * 1_024 * 1_024;
const TIMEOUT_MS = 120_000;

/** Builds a recipe with the kustomize or kubectl of the path; undefined where there is neither. */
export async function buildRecipe(directory: string, world: World): Promise<Build | undefined> {
  const command = findCommand(world);
  if (!command) return undefined;
  try {
    const { stdout } = await promisify(execFile)(command.path, [...command.argv, directory], {
      env: world.env,
      maxBuffer: MAX_OUTPUT_BYTES,
      timeout: TIMEOUT_MS,
      signal: world.signal,
    });
    const parsed = parseAllDocuments(stdout, { logLevel: "silent" });
    return { documents: "empty" in parsed ? [] : parsed.map((document) => document.toJS()) };
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr?.trim();
    return { failed: stderr || messageOf(error) };
  }
}

function findCommand({ env }: World): { path: string; argv: string[] } | undefined {
  const candidates = [
    { name: "kustomize", argv: ["build"] },
    { name: "kubectl", argv: ["kustomize"] },
  ];
  for (const { name, argv } of candidates) {
    for (const directory of (env.PATH ?? "").split(delimiter)) {
      const path = join(directory, name);
      if (directory !== "" && existsSync(path)) return { path, argv };
    }
  }
  return undefined;
}

/** Leaves of a built document that hold the plugin or what belongs to it. */
const OWN = /\.(?:clouddriver|gate)\.spinnaker\.extensibility\.|\.poll\.\w*[sS]econds$/;

/**
 * What is wrong with the build after an edit, given the one before; undefined where it is right: the plugin is in the
 * SpinnakerService under both roles, and nothing else differs.
 */
export function judgeBuilds(before: Build, after: Build): string | undefined {
  if ("failed" in after) {
    return "failed" in before ? undefined : `the recipe does not build any more: ${after.failed}`;
  }
  const leaves = flatten(after.documents);
  for (const role of ["clouddriver", "gate"]) {
    const key = `profiles.${role}.spinnaker.extensibility.plugins.${PLUGIN_ID}.enabled`;
    if (![...leaves].some(([path, value]) => path.endsWith(key) && String(value) === "true")) {
      return `the built SpinnakerService does not have the plugin for ${role}: is the recipe's order such that the patch is applied?`;
    }
  }
  if ("failed" in before) return undefined;
  const earlier = flatten(before.documents);
  const stray =
    [...leaves].find(([path, value]) => !OWN.test(path) && earlier.get(path) !== value) ??
    [...earlier].find(([path]) => !OWN.test(path) && !leaves.has(path) && !isHollow(earlier.get(path)));
  return stray && `something else in the build would change: ${stray[0]}`;
}

function isHollow(value: unknown): boolean {
  return value === null || value === "{}" || value === "[]";
}

/** Leaves by path; documents by kind and name, so that their order does not matter. */
function flatten(documents: readonly unknown[]): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const visit = (value: unknown, path: string) => {
    if (value === null || typeof value !== "object") leaves.set(path, value);
    else if (Object.keys(value).length === 0) leaves.set(path, Array.isArray(value) ? "[]" : "{}");
    else for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  for (const document of documents) {
    const { kind, metadata } = (document ?? {}) as { kind?: string; metadata?: { name?: string } };
    visit(document, `${kind}/${metadata?.name}`);
  }
  return leaves;
}
