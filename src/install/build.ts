import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { World } from "../world.ts";
import type { YamlEdits } from "../yaml/edits.ts";
import { canonicalProperty } from "../yaml/parse.ts";
import type { FilePlan } from "./plan.ts";
import type { Target } from "./target.ts";

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
    world.signal.throwIfAborted();
    const { stderr, killed } = error as { stderr?: string; killed?: boolean };
    if (killed) return { failed: `${command.path} did not end within ${TIMEOUT_MS / 1_000} s` };
    return { failed: stderr?.trim() || messageOf(error) };
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

/**
 * The recipe's build before a plan is applied, and the check of the one after it; nothing for a target that no recipe
 * builds. Without kustomize it warns that it could not check.
 */
export async function buildCheck(
  { world, out }: Context,
  { recipe }: Target,
  { edits }: FilePlan,
): Promise<{ check?: () => Promise<string | undefined> }> {
  if (recipe === undefined) return {};
  const before = await buildRecipe(recipe, world);
  if (before === undefined) {
    out.warn("neither kustomize nor kubectl is on the path: the build of the recipe could not be checked");
    return {};
  }
  if ("failed" in before) {
    out.warn(`the recipe does not build as it is, before any change: ${before.failed.split("\n")[0]}`);
  }
  return {
    check: async () =>
      judgeBuilds(before, (await buildRecipe(recipe, world)) ?? { failed: "kustomize is gone" }, edits),
  };
}

/**
 * What is wrong with the build after the edits, given the one before; undefined where it is right: the SpinnakerService
 * has each value that was set, under every spelling, and nothing else differs.
 */
export function judgeBuilds(before: Build, after: Build, edits: Required<YamlEdits>): string | undefined {
  if ("failed" in after) {
    return "failed" in before ? undefined : `the recipe does not build any more: ${after.failed}`;
  }
  const leaves = flatten(after.documents);
  const missing = edits.set.find(({ keys, value }) => {
    if (keys[0] !== "spec") return false;
    const wanted = canonicalProperty(keys);
    const found = leaves.filter(({ inService, property }) => inService && property === wanted);
    return found.length === 0 || found.some((leaf) => String(leaf.value) !== String(value));
  });
  if (missing) {
    return `the built SpinnakerService does not have ${missing.keys.join(".")}: ${missing.value}: is the recipe's order such that the patch is applied, and nothing else sets it?`;
  }
  if ("failed" in before) return undefined;
  const meant = [...edits.set.map(({ keys }) => keys), ...edits.remove].map(canonicalProperty);
  const isMeant = ({ inService, property }: Leaf) =>
    inService && meant.some((path) => property === path || property.startsWith(`${path}.`));
  const byPath = (list: readonly Leaf[]) => new Map(list.map((leaf) => [leaf.path, leaf.value]));
  const earlier = flatten(before.documents);
  const [was, is] = [byPath(earlier), byPath(leaves)];
  const stray =
    leaves.find((leaf) => !isMeant(leaf) && !isHollow(leaf.value) && was.get(leaf.path) !== leaf.value) ??
    earlier.find((leaf) => !isMeant(leaf) && !isHollow(leaf.value) && !is.has(leaf.path));
  return stray && `something else in the build would change: ${stray.path}`;
}

function isHollow(value: unknown): boolean {
  return value === null || value === "{}" || value === "[]";
}

interface Leaf {
  /** Documents by kind and name, so that their order does not matter. */
  path: string;
  /** The path inside the document, in one spelling. */
  property: string;
  inService: boolean;
  value: unknown;
}

function flatten(documents: readonly unknown[]): Leaf[] {
  return documents.flatMap((document) => {
    const { kind, metadata } = (document ?? {}) as { kind?: string; metadata?: { name?: string } };
    const found: Leaf[] = [];
    const visit = (value: unknown, keys: readonly string[]) => {
      if (value !== null && typeof value === "object" && Object.keys(value).length > 0) {
        for (const [key, inner] of Object.entries(value)) visit(inner, [...keys, key]);
        return;
      }
      const hollow = Array.isArray(value) ? "[]" : "{}";
      found.push({
        path: `${kind}/${metadata?.name}.${keys.join(".")}`,
        property: canonicalProperty(keys),
        inService: kind === "SpinnakerService",
        value: value !== null && typeof value === "object" ? hollow : value,
      });
    };
    visit(document, []);
    return found;
  });
}
