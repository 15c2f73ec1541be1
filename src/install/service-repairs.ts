import { isAlias } from "yaml";
import type { YamlEdits } from "../yaml/edits.ts";
import { segments, type YamlFile } from "../yaml/parse.ts";
import { PLUGIN_ID, sameIndex } from "./plugin.ts";
import { below } from "./profile.ts";

/** Where the profiles of a SpinnakerService are. */
export const SERVICE_PROFILES = ["spec", "spinnakerConfig", "profiles"] as const;

const ROLES = ["clouddriver-ro", "clouddriver-rw", "clouddriver-caching", "clouddriver-ro-deck"];

/**
 * What the published operator pages, and installs made after them, get wrong in a SpinnakerService beyond the two
 * profiles: each is taken out, with a line that says why. `apiVersion` is the one of the base that the patch is for.
 */
export function serviceRepairs(
  file: YamlFile,
  repositoryUrl: string,
  apiVersion: string,
): { edits: YamlEdits; notes: string[] } {
  const remove: (readonly string[])[] = [];
  const notes: string[] = [];
  const mend = (keys: readonly string[], line: number, why: string) => {
    remove.push([...SERVICE_PROFILES, ...keys]);
    notes.push(`${file.path}:${line}: ${why}`);
  };
  const seen = new Set<string>();
  for (const { keys, value, line } of below(file, SERVICE_PROFILES)) {
    const names = segments(keys);
    const [profile = "", ...rest] = names;
    const path = rest.join(".");

    const repository = /^((?:spinnaker\.)?extensibility\.repositories\.[^.]+)\.url$/.exec(path)?.[1];
    if (profile === "spinnaker" && repository && sameIndex(String(value), repositoryUrl)) {
      mend(
        ["spinnaker", repository],
        line,
        "a repository in the profile spinnaker makes every service restart and download it",
      );
    }
    const misplaced = `extensibility.plugins.${PLUGIN_ID}`;
    if (path.startsWith(`${misplaced}.`) && !seen.has(profile)) {
      seen.add(profile);
      mend(
        [profile, misplaced],
        line,
        `the profile ${profile} lacks the inner "spinnaker:", so the plugin is never read`,
      );
    }
  }
  for (const role of ROLES) {
    const node = file.document.getIn([...SERVICE_PROFILES, role], true);
    if (isAlias(node)) {
      const line = file.text.slice(0, node.range?.[0] ?? 0).split("\n").length;
      mend(
        [role],
        line,
        `the profile clouddriver covers ${role} already: the alias *${node.source} is not needed`,
      );
    }
  }
  const own = file.document.get("apiVersion");
  const wrong = typeof own === "string" && own !== apiVersion;
  if (wrong)
    notes.push(`${file.path}:1: ${own} is not the base's ${apiVersion}: the patch would match nothing`);
  return { edits: { remove, set: wrong ? [{ keys: ["apiVersion"], value: apiVersion }] : [] }, notes };
}
