import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "../../errors.ts";
import { gateProof, notifyProof, type RolloutScope, type Target } from "../target.ts";

/** Profiles in a directory of their own: a gitops checkout, say. Which services read them is the operator's affair. */
export function profilesDirTarget(directory: string): Target {
  assertDirectory(directory, "--profiles-dir");
  const profile = (name: string) => ({ path: join(directory, name), prefix: [] });
  const caching = profile("clouddriver-caching-local.yml");
  const shared = ["spinnaker.yml", "clouddriver.yml", "spinnaker-local.yml", "clouddriver-local.yml"].map(
    profile,
  );
  // A profile of the caching role is the mark of a Clouddriver that is split into roles.
  const split = existsSync(caching.path);
  return {
    label: `profiles-dir:${directory}`,
    directory,
    version: undefined,
    versionSource: "a directory of profiles does not tell it",
    plugin: [
      { ...profile("clouddriver-local.yml"), role: "clouddriver" },
      { ...profile("gate-local.yml"), role: "gate" },
    ],
    polling: split
      ? { write: caching, sources: [...shared, caching] }
      : { write: profile("clouddriver-local.yml"), sources: shared },
    notes: [],
    rollout: ({ gate }: RolloutScope) => [
      `git -C ${directory} diff   # commit and let your pipeline deploy it`,
      `restart clouddriver${gate ? " and gate" : ""}: profiles are read at start`,
    ],
    proof: (gateUrl) => [gateProof(gateUrl), notifyProof("/aws/notify")],
  };
}

/** Throws a usage error for anything but a directory. */
export function assertDirectory(path: string, flag: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  throw usageError("no-directory", `${flag}: there is no directory ${path}`);
}
