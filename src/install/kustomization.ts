import { existsSync, lstatSync, realpathSync } from "node:fs";
import { join, posix } from "node:path";
import { usageError } from "../errors.ts";
import type { ListItem } from "../yaml/list.ts";
import type { YamlFile } from "../yaml/parse.ts";
import type { Manifest } from "./target.ts";

const NAMES = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** The kustomization of a directory, as the file that really holds it; undefined where there is none. */
export function findKustomization(directory: string): { path: string; link: string | undefined } | undefined {
  const found = NAMES.map((name) => join(directory, name)).filter((path) => existsSync(path));
  if (found.length > 1) {
    throw usageError("two-kustomizations", `${directory} has ${found.length} kustomization files`, {
      detail: found.join(", "),
      hint: "kustomize refuses that too: keep one",
    });
  }
  const [path] = found;
  if (path === undefined) return undefined;
  return lstatSync(path).isSymbolicLink()
    ? { path: realpathSync(path), link: path }
    : { path, link: undefined };
}

interface PatchEntry {
  path?: unknown;
}

/** Whether the kustomization (or one of its list items) names the manifest, `./` prefixes aside. */
export function isListed(of: YamlFile | unknown, manifest: Manifest, key?: string): boolean {
  const wanted = posix.normalize(manifest.entry);
  const isIt = (item: unknown) => {
    const path = typeof item === "string" ? item : (item as PatchEntry | null)?.path;
    return typeof path === "string" && posix.normalize(path) === wanted;
  };
  if (!isYamlFile(of)) return isIt(of);
  const lists = (of.document.toJS() as Record<string, unknown> | null) ?? {};
  return (key ? [key] : ["patchesStrategicMerge", "patches", "resources"]).some((name) => {
    const list = lists[name];
    return Array.isArray(list) && list.some(isIt);
  });
}

function isYamlFile(value: unknown): value is YamlFile {
  return typeof value === "object" && value !== null && "document" in value && "text" in value;
}

/**
 * The list that gets the manifest. `patchesStrategicMerge` where the recipe has it: it is applied before the switch of
 * the apiVersion that OSS recipes end with. Else `patches`, with a target, which holds on either side of the switch.
 */
export function listFor(file: YamlFile, manifest: Manifest): { key: string; item: ListItem } {
  const fields = (file.document.toJS() as Record<string, unknown> | null) ?? {};
  if ("patchesStrategicMerge" in fields) return { key: "patchesStrategicMerge", item: manifest.entry };
  return {
    key: "patches",
    item: { path: manifest.entry, target: { kind: manifest.targetKind, name: manifest.targetName } },
  };
}
