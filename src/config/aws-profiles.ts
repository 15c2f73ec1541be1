import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../world.ts";

type Profiles = Map<string, string | undefined>;

/** Names of the profiles of the AWS configuration, with their Regions; none where it cannot be read. */
export function awsProfiles({ env, home }: Pick<World, "env" | "home">): Profiles {
  const path = (variable: string, name: string) => env[variable] || join(home, ".aws", name);
  const configured = parse(path("AWS_CONFIG_FILE", "config"), /^(?:default$|profile\s+)/);
  // As for the SDK, the Region of the credentials' file comes first.
  for (const [name, region] of parse(path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), /^/))
    if (region !== undefined || !configured.has(name)) configured.set(name, region);
  return configured;
}

/** The profiles of one file; `isProfile` tells their sections, after which their name stands. */
function parse(path: string, isProfile: RegExp): Profiles {
  const profiles: Profiles = new Map();
  let current: string | undefined;
  let nested = false;
  for (const line of read(path).split(/\r?\n/)) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1]?.trim();
    if (section !== undefined) {
      nested = false;
      current = isProfile.test(section)
        ? section.replace(/^profile\s+/, "").replaceAll(/^["']|["']$/g, "")
        : undefined;
      if (current !== undefined) profiles.set(current, undefined);
      continue;
    }
    const [, indent = "", key, value = ""] = /^(\s*)([^\s=]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined) continue;
    // What is indented below a key without a value belongs to that key.
    if (nested && indent !== "") continue;
    nested = value === "";
    if (current !== undefined && key === "region" && value !== "") profiles.set(current, value);
  }
  return profiles;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
