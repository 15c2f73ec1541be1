import { sameProperty } from "../yaml/parse.ts";
import { readText } from "./files.ts";
import { openPlaces } from "./places.ts";
import { PLUGIN_ID, PLUGINS } from "./plugin.ts";
import { below, hasPlugin } from "./profile.ts";
import { readRecord } from "./state.ts";
import type { PluginPlace, Target } from "./target.ts";

/** The plugin as one role's profile names it. */
export interface Installed {
  role: PluginPlace["role"];
  path: string;
  /** Null where the profile leaves it open. */
  version: string | null;
  enabled: boolean;
  /** The file is as `aec install` of this user left it. */
  byAec: boolean;
}

/** Where the plugin is named in a target's files. Throws for files that cannot be read as YAML. */
export function installedIn({ plugin }: Target, stateDirectory: string): Installed[] {
  return plugin.flatMap((place) => {
    const text = readText(place.path);
    if (text === undefined) return [];
    const file = openPlaces(text, place.path, [place]);
    if (!hasPlugin(file, place)) return [];
    const fieldOf = (field: string) =>
      below(file, place.prefix).findLast(({ keys }) => sameProperty(keys, [...PLUGINS, PLUGIN_ID, field]))
        ?.value;
    const version = fieldOf("version");
    return [
      {
        role: place.role,
        path: place.path,
        version: version === undefined ? null : String(version),
        enabled: String(fieldOf("enabled")) === "true",
        byAec: readRecord(stateDirectory, place.path, "plugin")?.written === text,
      },
    ];
  });
}
