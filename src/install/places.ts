import { isAlias, isMap, isScalar } from "yaml";
import { parseYaml, type YamlFile } from "../yaml/parse.ts";
import type { Place } from "./target.ts";

/** Parses the file of these places: of several documents the SpinnakerService, or the profile that always applies. */
export function openPlaces(text: string, path: string, places: readonly Place[]): YamlFile {
  const inService = places.some(({ prefix }) => prefix.length > 0);
  const file = inService
    ? parseYaml(text, path, (document) => document.get("kind") === "SpinnakerService")
    : parseYaml(text, path);
  for (const { prefix } of places) {
    const profile = prefix.length > 0 ? file.document.getIn(prefix, true) : undefined;
    if (isScalar(profile) && typeof profile.value === "string") {
      throw file.refuse(
        profile.range?.[0] ?? 0,
        `the profile ${prefix.at(-1)} is a block of text, which the operator's schema does not take`,
        "write its lines as keys, without the |",
      );
    }
    if (
      profile !== undefined &&
      profile !== null &&
      !isMap(profile) &&
      !isScalar(profile) &&
      !isAlias(profile)
    ) {
      throw file.refuse(0, `the profile ${prefix.at(-1)} is not a map of keys`);
    }
  }
  return file;
}
