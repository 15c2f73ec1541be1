import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { usageError } from "../errors.ts";
import { readText } from "./files.ts";
import { findKustomization } from "./kustomization.ts";

/** One resource or patch of a recipe. */
export interface RecipeEntry {
  path: string;
  /** Reached as a resource, not as a patch. */
  base: boolean;
  /** Written inside the kustomization `path`, not in a file of its own. */
  inline: boolean;
  documents: unknown[];
}

/** What a recipe reaches, in the order in which kustomize merges it. */
export interface Recipe {
  directories: string[];
  entries: RecipeEntry[];
  /** `file: entry` of everything that is remote, missing, or of a kind that is not read. */
  unread: string[];
}

const RESOURCES = ["resources", "bases", "components"] as const;
const PATCHES = ["patchesStrategicMerge", "patches"] as const;

/** Follows local resources, components and patches; a later one overrides an earlier one. Throws usage errors. */
export function readRecipe(directory: string): Recipe {
  const recipe: Recipe = { directories: [], entries: [], unread: [] };
  const seen = new Set<string>();
  const walk = (current: string) => {
    const kustomization = findKustomization(current);
    const real = resolve(current);
    if (!kustomization || seen.has(real)) return;
    seen.add(real);
    recipe.directories.push(current);
    const { path } = kustomization;
    const [fields] = readDocuments(path) as (Record<string, unknown> | null)[];
    const list = (key: string): unknown[] => {
      const value = fields?.[key] ?? [];
      if (Array.isArray(value)) return value;
      throw usageError("kustomization-refused", `${path}: ${key} is not a list`, {
        hint: "kustomize refuses that too: mend it and run again",
      });
    };
    const follow = (entry: unknown, base: boolean) => {
      const { path: named, patch } = (typeof entry === "object" && entry !== null ? entry : {}) as {
        path?: unknown;
        patch?: unknown;
      };
      const text = typeof entry === "string" ? entry : (named ?? patch);
      if (typeof text !== "string") return;
      if (!base && (text === patch || text.includes("\n"))) {
        recipe.entries.push({ path, base, inline: true, documents: parseDocuments(text, path) });
        return;
      }
      const target = join(current, text);
      if (!existsSync(target)) recipe.unread.push(`${path}: ${text}`);
      else if (statSync(target).isDirectory()) walk(target);
      else recipe.entries.push({ path: target, base, inline: false, documents: readDocuments(target) });
    };
    for (const key of RESOURCES) for (const entry of list(key)) follow(entry, true);
    for (const key of PATCHES) for (const entry of list(key)) follow(entry, false);
    if (list("patchesJson6902").length > 0) recipe.unread.push(`${path}: patchesJson6902`);
  };
  walk(directory);
  return recipe;
}

/** The documents of a YAML file; none for files of another kind. Throws a usage error for invalid YAML. */
export function readDocuments(path: string): unknown[] {
  return /\.ya?ml$|Kustomization$/.test(path) ? parseDocuments(readText(path) ?? "", path) : [];
}

function parseDocuments(text: string, path: string): unknown[] {
  const parsed = parseAllDocuments(text, { logLevel: "silent" });
  if ("empty" in parsed) return [];
  const broken = parsed.find(({ errors }) => errors.length > 0)?.errors[0];
  if (broken) {
    throw usageError("yaml-refused", `${path}: invalid YAML: ${broken.message.split("\n")[0]}`, {
      hint: "mend the file and run again; nothing was written",
    });
  }
  return parsed.map((document) => document.toJS());
}
