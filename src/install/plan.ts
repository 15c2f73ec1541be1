import { join } from "node:path";
import { editYaml } from "../yaml/edit.ts";
import { parseYaml } from "../yaml/parse.ts";
import { type FileChange, readText } from "./files.ts";
import type { HalyardDeployment } from "./halyard.ts";
import { hasPlugin, pluginEdits, pluginRemoval, type WantedPlugin } from "./profile.ts";
import { readRecord } from "./state.ts";

/** What a command is going to do to the files of a target; data, so that it can be shown before it is applied. */
export interface FilePlan {
  files: FileChange[];
  /** Paths whose present text holds nothing of `aec`'s. */
  pristine: ReadonlySet<string>;
  warnings: string[];
}

/** The two profiles that carry the plugin: every clouddriver role reads the first one, in HA too. */
export function pluginProfiles(deployment: HalyardDeployment): string[] {
  return ["clouddriver-local.yml", "gate-local.yml"].map((name) => join(deployment.profilesDir, name));
}

/** Reads the profiles and plans the installation; writes nothing. */
export function planInstall(deployment: HalyardDeployment, wanted: WantedPlugin): FilePlan {
  const warnings: string[] = [];
  const pristine = new Set<string>();
  const files = pluginProfiles(deployment).map((path): FileChange => {
    const before = readText(path);
    const file = parseYaml(before ?? "", path);
    const { edits, notes } = pluginEdits(file, wanted);
    warnings.push(...notes);
    if (!hasPlugin(file)) pristine.add(path);
    const after = editYaml(file, edits);
    return { path, before, after: before === undefined && after === "" ? undefined : after };
  });
  return { files, pristine, warnings };
}

/** Plans the removal: the original bytes where only `aec` wrote since, else exactly the plugin's lines. */
export function planUninstall(deployment: HalyardDeployment, stateDirectory: string): FilePlan {
  const warnings: string[] = [];
  const files = pluginProfiles(deployment).map((path): FileChange => {
    const before = readText(path);
    if (before === undefined) return { path, before, after: before };
    const record = readRecord(stateDirectory, path);
    if (record?.original !== undefined && record.written === before) {
      return { path, before, after: record.original ?? undefined };
    }
    const file = parseYaml(before, path);
    const after = editYaml(file, pluginRemoval(file).edits);
    // A file that aec made and that holds nothing else any more goes with it.
    const ours = record?.original === null && after.trim() === "";
    return { path, before, after: ours ? undefined : after };
  });
  return { files, pristine: new Set(), warnings };
}
