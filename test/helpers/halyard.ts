import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Makes a Halyard directory in a home, of a Spinnaker that the plugin was published for; answers its path. */
export function makeHalyard(home: string): string {
  const hal = join(home, ".hal");
  mkdirSync(join(hal, "default", "profiles"), { recursive: true });
  writeFileSync(
    join(hal, "config"),
    "currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  version: 1.30.1\n",
  );
  return hal;
}
