import { editYaml } from "../yaml/edit.ts";
import type { SetEdit, YamlEdits } from "../yaml/edits.ts";
import { appendItem, removeItem } from "../yaml/list.ts";
import { linesElsewhere, parseYaml, properties, sameProperty, type YamlFile } from "../yaml/parse.ts";
import { type FileChange, readText } from "./files.ts";
import { isListed, listFor } from "./kustomization.ts";
import { openPlaces } from "./places.ts";
import { hasPlugin, pluginEdits, pluginRemoval, type WantedPlugin } from "./profile.ts";
import { serviceRepairs } from "./service-repairs.ts";
import { readRecord } from "./state.ts";
import type { Manifest, Target } from "./target.ts";

/** What a command is going to do to the files of a target; data, so that it can be shown before it is applied. */
export interface FilePlan {
  files: FileChange[];
  /** Paths whose present text holds nothing of `aec`'s. */
  pristine: ReadonlySet<string>;
  /** Every edit of a profile, by its path in the document: what a built recipe may and must differ by. */
  edits: Required<YamlEdits>;
  warnings: string[];
}

/** Reads the target's files and plans the installation; writes nothing. */
export function planInstall(target: Target, wanted: WantedPlugin): FilePlan {
  const warnings = [...target.notes];
  const pristine = new Set<string>();
  const edits = { set: [] as SetEdit[], remove: [] as (readonly string[])[] };
  const files = byPath(target).map(([path, places]): FileChange => {
    const before = readText(path);
    const file = openPlaces(before ?? "", path, places);
    const planned = places.map((place) => pluginEdits(file, place, wanted));
    if (target.apiVersion && before !== undefined) {
      planned.push(serviceRepairs(file, wanted.repositoryUrl, target.apiVersion));
    }
    warnings.push(...planned.flatMap(({ notes }) => notes));
    if (!places.some((place) => hasPlugin(file, place))) pristine.add(path);
    const head = target.manifest?.path === path && before === undefined ? target.manifest.head : [];
    const set = planned.flatMap((profile) => profile.edits.set ?? []);
    const remove = planned.flatMap((profile) => profile.edits.remove ?? []);
    warnings.push(...rivals(file, set));
    edits.set.push(...set);
    edits.remove.push(...remove);
    return { path, before, after: editYaml(file, { set: [...head, ...set], remove }) };
  });
  const listing = target.manifest && planListing(target.manifest);
  if (listing) {
    if (listing.before !== listing.after) pristine.add(listing.path);
    files.push(listing);
  }
  return { files, pristine, edits, warnings };
}

/** A later document with a condition wins where its condition holds: `aec` leaves it alone, and says so. */
export function rivals(file: YamlFile, set: readonly SetEdit[]): string[] {
  return set.flatMap(({ keys, value }) =>
    linesElsewhere(file, keys).map(
      (line) =>
        `${file.path}:${line}: another document of this file sets ${keys.join(".")} too; where it is active, it counts instead of ${value}`,
    ),
  );
}

/** Two plans for one target as one; `second` was made on what `first` leaves. */
export function joinPlans(
  first: FilePlan,
  second: (read: (path: string) => string | undefined) => FilePlan,
): FilePlan {
  const left = new Map(first.files.map(({ path, after }) => [path, after]));
  const next = second((path) => (left.has(path) ? left.get(path) : readText(path)));
  const files = [...first.files];
  for (const change of next.files) {
    const index = files.findIndex(({ path }) => path === change.path);
    const known = files[index];
    if (known) files[index] = { ...known, after: change.after };
    else files.push(change);
  }
  return {
    files,
    pristine: new Set([...first.pristine, ...next.pristine]),
    edits: {
      set: [...first.edits.set, ...next.edits.set],
      remove: [...first.edits.remove, ...next.edits.remove],
    },
    warnings: [...new Set([...first.warnings, ...next.warnings])],
  };
}

/** The kustomization has to name the manifest, once. */
export function planListing(manifest: Manifest, read = readText): FileChange {
  const before = read(manifest.kustomization) ?? "";
  const file = parseYaml(before, manifest.kustomization);
  if (isListed(file, manifest)) return { path: manifest.kustomization, before, after: before };
  const { key, item } = listFor(file, manifest);
  return { path: manifest.kustomization, before, after: appendItem(file, key, item) };
}

/** Plans the removal: the original bytes where only `aec` wrote since, else exactly the plugin's lines. */
export function planUninstall(target: Target, stateDirectory: string): FilePlan {
  const files = byPath(target).map(([path, places]) =>
    restored(path, stateDirectory, (text) => {
      const file = openPlaces(text, path, places);
      const remove = places.flatMap((place) => pluginRemoval(file, place).remove ?? []);
      const after = editYaml(file, { remove });
      const manifest = target.manifest?.path === path ? target.manifest : undefined;
      // A patch that holds nothing but its head any more goes with the plugin.
      return manifest && isHeadOnly(parseYaml(after, path), manifest.head) ? undefined : after;
    }),
  );
  const { manifest } = target;
  const patch = files.find(({ path }) => path === manifest?.path);
  if (manifest && patch?.before !== undefined && patch.after === undefined) {
    files.push(
      restored(manifest.kustomization, stateDirectory, (text) => {
        const file = parseYaml(text, manifest.kustomization);
        const key = ["patchesStrategicMerge", "patches"].find((name) => isListed(file, manifest, name));
        return key ? removeItem(file, key, (item) => isListed(item, manifest)) : file.text;
      }),
    );
  }
  return { files, pristine: new Set(), edits: { set: [], remove: [] }, warnings: [] };
}

function restored(
  path: string,
  stateDirectory: string,
  cut: (text: string) => string | undefined,
): FileChange {
  const before = readText(path);
  if (before === undefined) return { path, before, after: before };
  const record = readRecord(stateDirectory, path, "plugin");
  if (record?.original !== undefined && record.written === before) {
    return { path, before, after: record.original ?? undefined };
  }
  const after = cut(before);
  // A file that aec made and that holds nothing else any more goes with it.
  return { path, before, after: record?.original === null && after?.trim() === "" ? undefined : after };
}

function isHeadOnly(file: YamlFile, head: readonly { keys: readonly string[] }[]): boolean {
  return properties(file).every(({ keys }) => head.some((own) => sameProperty(own.keys, keys)));
}

function byPath({ plugin }: Target): [string, Target["plugin"][number][]][] {
  const grouped = new Map<string, Target["plugin"][number][]>();
  for (const place of plugin) grouped.set(place.path, [...(grouped.get(place.path) ?? []), place]);
  return [...grouped];
}
