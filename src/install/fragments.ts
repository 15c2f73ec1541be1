import type { CommandResult } from "../output/output.ts";
import { editYaml } from "../yaml/edit.ts";
import { parseYaml } from "../yaml/parse.ts";
import { pluginEdits, type WantedPlugin } from "./profile.ts";

/** The lines to be pasted where `aec` does not write: as profiles, and as values of the Halyard chart. */
export function printedFragments(wanted: WantedPlugin): CommandResult {
  const fragment = (prefix: readonly string[]) => {
    const file = parseYaml("", "fragment");
    return editYaml(file, pluginEdits(file, { path: "fragment", prefix, role: "clouddriver" }, wanted).edits);
  };
  const profile = fragment([]);
  const data = ["halyard", "additionalProfileConfigMaps", "data"];
  const helmValues = `${indentUnder(data, ["clouddriver-local.yml", "gate-local.yml"], profile)}`;
  return {
    data: { fragments: { "clouddriver-local.yml": profile, "gate-local.yml": profile, helmValues } },
    text: () =>
      [
        "# the same in clouddriver-local.yml and gate-local.yml, or under profiles.clouddriver and profiles.gate",
        profile,
        "# as values of a chart that runs Halyard",
        helmValues,
      ].join("\n"),
  };
}

/** Keys with dots are names of files here, so that they are nested by hand and not as properties. */
function indentUnder(keys: readonly string[], names: readonly string[], body: string): string {
  const line = (depth: number, text: string) => " ".repeat(2 * depth) + text;
  return [
    ...keys.map((key, depth) => line(depth, `${key}:`)),
    ...names.flatMap((name) => [
      line(keys.length, `${name}:`),
      ...body
        .trimEnd()
        .split("\n")
        .map((text) => line(keys.length + 1, text)),
    ]),
    "",
  ].join("\n");
}
