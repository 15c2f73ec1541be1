import { usageError } from "../errors.ts";
import type { SetEdit, YamlEdits } from "../yaml/edits.ts";
import { type Property, properties, sameKey, sameProperty, segments, type YamlFile } from "../yaml/parse.ts";
import {
  isRelease,
  PLUGIN_ID,
  PLUGINS,
  PLUGINS_ROOT,
  REPOSITORIES,
  REPOSITORY_NAME,
  sameIndex,
} from "./plugin.ts";
import type { PluginPlace } from "./target.ts";

/** What a profile is to have. */
export interface WantedPlugin {
  version: string;
  repositoryUrl: string;
  /** Switch the plugin on even where somebody set `enabled: false`. */
  force: boolean;
}

/** Edits of one profile, with a line for each thing that is mended on the way. */
export interface ProfileEdits {
  edits: YamlEdits;
  notes: string[];
}

/** The edits that install the plugin in one profile; none where it is there as wanted. Throws where it was switched off. */
export function pluginEdits(file: YamlFile, place: PluginPlace, wanted: WantedPlugin): ProfileEdits {
  const all = below(file, place.prefix);
  const notes: string[] = [];
  const remove: (readonly string[])[] = [];
  const set: SetEdit[] = [];
  const at = (keys: readonly string[]) => [...place.prefix, ...keys];

  const enabled = all.find(({ keys }) => sameProperty(keys, [...PLUGINS, PLUGIN_ID, "enabled"]));
  const isOn = String(enabled?.value) === "true";
  if (enabled && !isOn) {
    if (!wanted.force) {
      throw usageError("plugin-disabled", `${file.path}:${enabled.line}: ${PLUGIN_ID} is switched off here`, {
        hint: "somebody did that on purpose; --force switches it on",
      });
    }
    notes.push(`${file.path}:${enabled.line}: ${PLUGIN_ID} was switched off and is switched on (--force)`);
  }
  for (const { key, line } of keysWithForeignId(all)) {
    remove.push(at([...PLUGINS, key]));
    notes.push(
      `${file.path}:${line}: plugins.${key} carries "id: ${PLUGIN_ID}", which Spinnaker never reads; the key itself has to be the id`,
    );
  }
  const version = all.find(({ keys }) => sameProperty(keys, [...PLUGINS, PLUGIN_ID, "version"]));
  if (version && !isRelease(String(version.value))) {
    notes.push(
      `${file.path}:${version.line}: no release ${version.value} exists; Spinnaker silently takes the newest`,
    );
  } else if (enabled && !version) {
    notes.push(
      `${file.path}:${enabled.line}: the plugin has no version and floats to the newest at each restart`,
    );
  }
  for (const { keys, line } of ignoredRepositoryKeys(all, wanted.repositoryUrl)) {
    remove.push(at(keys));
    notes.push(`${file.path}:${line}: ${keys.at(-1)} under a repository is never read`);
  }

  if (!isOn) set.push({ keys: at([...PLUGINS, PLUGIN_ID, "enabled"]), value: true });
  set.push({ keys: at([...PLUGINS, PLUGIN_ID, "version"]), value: wanted.version });
  if (!repositories(all).some((found) => found.enabled && sameIndex(found.url, wanted.repositoryUrl))) {
    set.push({ keys: at([...REPOSITORIES, REPOSITORY_NAME, "url"]), value: wanted.repositoryUrl });
  }
  if (place.pluginsRoot && !all.some(({ keys }) => sameProperty(keys, PLUGINS_ROOT))) {
    set.push({ keys: at(PLUGINS_ROOT), value: place.pluginsRoot });
  }
  return { edits: { set, remove }, notes };
}

/** The edits that take the plugin, and what `aec` added for it, out of one profile. */
export function pluginRemoval(file: YamlFile, place: PluginPlace): YamlEdits {
  if (!hasPlugin(file, place)) return {};
  const at = (keys: readonly string[]) => [...place.prefix, ...keys];
  const root = below(file, place.prefix).find(({ keys }) => sameProperty(keys, PLUGINS_ROOT));
  const otherPlugins = below(file, place.prefix).some(
    ({ keys }) => isBelow(keys, PLUGINS) && !isBelow(keys, [...PLUGINS, PLUGIN_ID]),
  );
  const ours = root !== undefined && root.value === place.pluginsRoot && !otherPlugins;
  return {
    remove: [
      at([...PLUGINS, PLUGIN_ID]),
      at([...REPOSITORIES, REPOSITORY_NAME]),
      ...(ours ? [at(PLUGINS_ROOT)] : []),
    ],
  };
}

/** Whether the profile names the plugin under its own id. */
export function hasPlugin(file: YamlFile, { prefix }: Pick<PluginPlace, "prefix">): boolean {
  return below(file, prefix).some(({ keys }) => isBelow(keys, [...PLUGINS, PLUGIN_ID]));
}

/** The properties below a prefix, by what follows it. */
export function below(file: YamlFile, prefix: readonly string[]): readonly Property[] {
  if (prefix.length === 0) return properties(file);
  const depth = segments(prefix).length;
  return properties(file).flatMap((property) =>
    isBelow(property.keys, prefix) ? [{ ...property, keys: property.keys.slice(depth) }] : [],
  );
}

interface Repository {
  name: string;
  url: string;
  enabled: boolean;
}

function repositories(all: readonly Property[]): Repository[] {
  const found = new Map<string, Repository>();
  for (const { keys, value } of all) {
    const [name, field] = segments(keys).slice(REPOSITORIES.length);
    if (!isBelow(keys, REPOSITORIES) || !name || !field) continue;
    const entry = found.get(name) ?? { name, url: "", enabled: true };
    if (field === "url") entry.url = String(value);
    if (field === "enabled") entry.enabled = String(value) === "true";
    found.set(name, entry);
  }
  return [...found.values()];
}

/** `version` and `id` of the plugin's own repository: kork drops what it does not know. */
function ignoredRepositoryKeys(all: readonly Property[], url: string): Property[] {
  const names = new Set(
    repositories(all)
      .filter((found) => sameIndex(found.url, url))
      .map(({ name }) => name),
  );
  return all.flatMap((property) => {
    const path = segments(property.keys);
    const [name = "", field = ""] = path.slice(REPOSITORIES.length);
    const ignored = isBelow(property.keys, REPOSITORIES) && names.has(name) && /^(version|id)$/.test(field);
    return ignored ? [{ ...property, keys: path }] : [];
  });
}

/** Plugin keys that only claim to be the plugin by an `id:` child, as the vendor's Halyard page prints it. */
function keysWithForeignId(all: readonly Property[]): { key: string; line: number }[] {
  return all
    .filter(
      ({ keys, value }) => isBelow(keys, PLUGINS) && segments(keys).at(-1) === "id" && value === PLUGIN_ID,
    )
    .map(({ keys, line }) => ({ key: segments(keys).slice(PLUGINS.length, -1).join("."), line }))
    .filter(({ key }) => key !== PLUGIN_ID);
}

function isBelow(keys: readonly string[], parent: readonly string[]): boolean {
  const names = segments(parent);
  return keys.length > names.length && names.every((name, index) => sameKey(name, keys[index] ?? ""));
}
