import { usageError } from "../errors.ts";
import type { SetEdit, YamlEdits } from "../yaml/edit.ts";
import { type Property, properties, sameProperty, segments, type YamlFile } from "../yaml/parse.ts";
import { PLUGIN_ID, PLUGINS, REPOSITORIES, REPOSITORY_NAME, sameIndex } from "./plugin.ts";

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
export function pluginEdits(file: YamlFile, wanted: WantedPlugin): ProfileEdits {
  const all = properties(file);
  const notes: string[] = [];
  const remove: (readonly string[])[] = [];
  const set: SetEdit[] = [];

  const enabled = all.find(({ keys }) => sameProperty(keys, [...PLUGINS, PLUGIN_ID, "enabled"]));
  if (enabled && String(enabled.value) !== "true") {
    if (!wanted.force) {
      throw usageError("plugin-disabled", `${file.path}:${enabled.line}: ${PLUGIN_ID} is switched off here`, {
        hint: "somebody did that on purpose; --force switches it on",
      });
    }
    notes.push(`${file.path}: ${PLUGIN_ID} was switched off and is switched on (--force)`);
  }
  for (const key of keysWithForeignId(all)) {
    remove.push([...PLUGINS, key]);
    notes.push(
      `${file.path}: plugins.${key} carried "id: ${PLUGIN_ID}", which Spinnaker never reads; the key itself has to be the id`,
    );
  }
  if (String(enabled?.value) !== "true") set.push({ keys: [...PLUGINS, PLUGIN_ID, "enabled"], value: true });
  set.push({ keys: [...PLUGINS, PLUGIN_ID, "version"], value: wanted.version });
  if (!repositories(all).some((found) => found.enabled && sameIndex(found.url, wanted.repositoryUrl))) {
    set.push({ keys: [...REPOSITORIES, REPOSITORY_NAME, "url"], value: wanted.repositoryUrl });
  }
  return { edits: { set, remove }, notes };
}

/** The edits that take the plugin, and the repository that `aec` added, out of one profile. */
export function pluginRemoval(file: YamlFile): ProfileEdits {
  const installed = properties(file).some(({ keys }) => isBelow(keys, [...PLUGINS, PLUGIN_ID]));
  if (!installed) return { edits: {}, notes: [] };
  return {
    edits: {
      remove: [
        [...PLUGINS, PLUGIN_ID],
        [...REPOSITORIES, REPOSITORY_NAME],
      ],
    },
    notes: [],
  };
}

/** Whether the profile names the plugin under its own id. */
export function hasPlugin(file: YamlFile): boolean {
  return properties(file).some(({ keys }) => isBelow(keys, [...PLUGINS, PLUGIN_ID]));
}

interface Repository {
  name: string;
  url: string;
  enabled: boolean;
}

function repositories(all: readonly Property[]): Repository[] {
  const found = new Map<string, Repository>();
  for (const { keys, value } of all) {
    const names = segments(keys);
    const [name, field] = names.slice(REPOSITORIES.length);
    if (!isBelow(keys, REPOSITORIES) || !name || !field) continue;
    const entry = found.get(name) ?? { name, url: "", enabled: true };
    if (field === "url") entry.url = String(value);
    if (field === "enabled") entry.enabled = String(value) === "true";
    found.set(name, entry);
  }
  return [...found.values()];
}

/** Plugin keys that only claim to be the plugin by an `id:` child, as the vendor's Halyard page prints it. */
function keysWithForeignId(all: readonly Property[]): string[] {
  return all
    .filter(
      ({ keys, value }) => isBelow(keys, PLUGINS) && segments(keys).at(-1) === "id" && value === PLUGIN_ID,
    )
    .map(({ keys }) => segments(keys).slice(PLUGINS.length, -1).join("."))
    .filter((key) => key !== PLUGIN_ID);
}

function isBelow(keys: readonly string[], parent: readonly string[]): boolean {
  return (
    sameProperty(segments(keys).slice(0, segments(parent).length), parent) &&
    segments(keys).length > segments(parent).length
  );
}
