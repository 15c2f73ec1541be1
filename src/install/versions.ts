import { usageError } from "../errors.ts";
import { isRelease, PLUGIN_RELEASES } from "./plugin.ts";

/** One release train, as far as it matters to what `aec` does. */
export interface Train {
  /** `1.30` or `2025.1`; Armory's are counted from 2.28. */
  name: string;
  distribution: "Spinnaker" | "Armory CD";
  /** The vendor lists the plugin for it. */
  plugin: boolean;
  /** Class prefixes that a plugin can no longer rely on from this train on. */
  gone: readonly string[];
  notes: readonly string[];
}

const SERVLET = "javax/servlet/";
const SDK_V1 = "com/amazonaws/";
const NO_REFRESH_OF_ITS_OWN = "Orca sends no refresh after security group changes: events close the gap";

const spinnaker = (name: string, more: Partial<Train> = {}): Train => ({
  name,
  distribution: "Spinnaker",
  plugin: false,
  gone: [],
  notes: [],
  ...more,
});

/** What is known of each train; sources are the vendor's compatibility matrix and Spinnaker's release notes. */
export const TRAINS: readonly Train[] = [
  ...["1.28", "1.29", "1.30", "1.31"].map((name) => spinnaker(name, { plugin: true })),
  ...["1.32", "1.33", "1.34", "1.35", "1.36", "1.37", "2025.0"].map((name) => spinnaker(name)),
  ...["2025.1", "2025.2", "2025.3"].map((name) => spinnaker(name, { notes: [NO_REFRESH_OF_ITS_OWN] })),
  ...["2025.4", "2026.0", "2026.1", "2026.2"].map((name) =>
    spinnaker(name, {
      gone: [SERVLET],
      notes: [NO_REFRESH_OF_ITS_OWN, "Spring Boot 3: jakarta in place of javax.servlet"],
    }),
  ),
  spinnaker("2026.3", {
    gone: [SERVLET, SDK_V1],
    notes: [NO_REFRESH_OF_ITS_OWN, "AWS SDK v1 is removed: plugins that use it stop loading"],
  }),
  ...["2.28", "2.30", "2.31"].map(
    (name): Train => ({ ...spinnaker(name, { plugin: true }), distribution: "Armory CD" }),
  ),
];

/** `1.30` of `1.30.4`; undefined for `branch:…`, `local:…` and anything else that is no release. */
export function trainOf(version: string): string | undefined {
  return /^v?(\d+\.\d+)(?:\.(?:\d+|x))?(?:[-+].*)?$/.exec(version.trim())?.[1];
}

/** The train of a version, or undefined for one that is not known. */
export function findTrain(version: string): Train | undefined {
  const name = trainOf(version);
  return TRAINS.find((train) => train.name === name);
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
  if (!findTrain(train)?.plugin) {
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
