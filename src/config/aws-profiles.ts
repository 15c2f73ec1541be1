import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../world.ts";

/** Names of the profiles of the AWS configuration, with their Regions; none where it cannot be read. */
export function awsProfiles({ env, home }: Pick<World, "env" | "home">): Map<string, string | undefined> {
  const profiles = new Map<string, string | undefined>();
  let current: string | undefined;
  for (const line of read(awsConfigPath({ env, home })).split(/\r?\n/)) {
    const section = /^\s*\[(?:profile\s+)?([^\]]+)\]/.exec(line)?.[1]?.trim();
    if (section !== undefined) {
      // [sso-session x] and [services x] are none.
      current = /\s/.test(section) ? undefined : section;
      if (current !== undefined) profiles.set(current, undefined);
    }
    const region = /^region\s*=\s*(\S+)/.exec(line)?.[1];
    if (current !== undefined && region !== undefined) profiles.set(current, region);
  }
  return profiles;
}

/** Where the AWS SDK looks, too. */
export function awsConfigPath({ env, home }: Pick<World, "env" | "home">): string {
  return env.AWS_CONFIG_FILE || join(home, ".aws", "config");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
