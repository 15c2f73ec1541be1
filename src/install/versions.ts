import { usageError } from "../errors.ts";
import { isRelease, PLUGIN_RELEASES } from "./plugin.ts";

/** Trains that the vendor lists for the plugin: Spinnaker 1.28–1.31, Armory CD 2.28, 2.30, 2.31. */
const PLUGIN_TRAINS = new Set(["1.28", "1.29", "1.30", "1.31", "2.28", "2.30", "2.31"]);

/** `1.30` of `1.30.4`; undefined for `branch:…`, `local:…` and anything else that is no release. */
export function trainOf(version: string): string | undefined {
  return /^v?(\d+\.\d+)(?:\.\d+)?(?:[-+].*)?$/.exec(version.trim())?.[1];
}

/**
 * Throws unless the plugin is published for this Spinnaker. `version` is undefined where the target does not tell.
 * The loader would take the plugin anywhere (it declares >=0.0.0), so this guard is the only one.
 */
export function guardSpinnakerVersion(version: string | undefined, source: string): void {
  const train = version === undefined ? undefined : trainOf(version);
  if (train === undefined) {
    const seen = version === undefined ? "is not known" : `is "${version}", which names no release`;
    throw usageError("version-unknown", `the Spinnaker version ${seen} (${source})`, {
      hint: "name it: --spinnaker-version 1.30.1",
    });
  }
  if (!PLUGIN_TRAINS.has(train)) {
    throw usageError(
      "version-unsupported",
      `the plugin is published for Spinnaker 1.28 to 1.31 and Armory CD 2.28, 2.30 and 2.31, not for ${version} (${source})`,
      {
        detail:
          "It would load without complaint and then fail or stay silent: its last build is of 2023, before the SDK and servlet changes.",
        hint: "aec serve does the same work on every version; --force installs all the same",
      },
    );
  }
}

/** Throws unless `version` is a release of the plugin: an unknown one would silently load the newest. */
export function guardPluginVersion(version: string): void {
  if (isRelease(version)) return;
  throw usageError("plugin-version-unknown", `there is no release ${version} of the plugin`, {
    detail: `releases: ${PLUGIN_RELEASES.join(", ")}`,
    hint: "a version that is not in the index makes Spinnaker load the newest one without a word",
  });
}
