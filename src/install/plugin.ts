/** The published plugin; a kork plugin is known by the key it is configured under. */
export const PLUGIN_ID = "Armory.AWSCATsOnEvent";

/** Releases in the plugin index, newest first, with the train constraints of the vendor's matrix. */
export const PLUGIN_RELEASES = ["0.2.1", "0.2.0", "0.1.0"] as const;

/** The index that carries the plugin; pf4j-update replaces the last segment by `plugins.json`. */
export const PLUGIN_INDEX =
  "https://raw.githubusercontent.com/armory-plugins/pluginRepository/master/plugins.json";

/** The name under which `aec` adds the index where no other entry has it. Names must not contain dots. */
export const REPOSITORY_NAME = "awsEventCache";

export const PLUGINS = ["spinnaker", "extensibility", "plugins"] as const;
export const REPOSITORIES = ["spinnaker", "extensibility", "repositories"] as const;
export const PLUGINS_ROOT = ["spinnaker", "extensibility", "plugins-root-path"] as const;

/** Whether the index has this version of the plugin; one that it has not silently becomes the newest. */
export function isRelease(version: string): boolean {
  return (PLUGIN_RELEASES as readonly string[]).includes(version);
}

/** Whether two repository URLs resolve to the same `plugins.json` (pf4j-update DefaultUpdateRepository). */
export function sameIndex(a: string, b: string): boolean {
  const index = (url: string) => (URL.canParse(url) ? new URL("plugins.json", url).href : url);
  return index(a) === index(b);
}
