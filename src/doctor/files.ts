import type { Context } from "../context.ts";
import { ExpectedError } from "../errors.ts";
import { chooseTarget, type TargetOptions } from "../install/choose-target.ts";
import { planInstall } from "../install/plan.ts";
import { PLUGIN_INDEX, PLUGIN_RELEASES } from "../install/plugin.ts";
import type { Target } from "../install/target.ts";
import { guardSpinnakerVersion } from "../install/versions.ts";
import { configuredPolling } from "../polling/settings.ts";
import { type Check, failed, ok, skipped } from "./check.ts";

/** What is wrong in the files of the target: a plugin that cannot load, intervals that Clouddriver never reads. */
export function checkFiles(context: Context, options: TargetOptions): Check[] {
  try {
    const target = chooseTarget(context, options);
    return [...pluginChecks(target), ...pollingChecks(target)];
  } catch (error) {
    if (error instanceof ExpectedError && error.code === "no-target")
      return [skipped("files", error.message, error.hint)];
    return [failed("files", error)];
  }
}

function pluginChecks(target: Target): Check[] {
  const wanted = { version: PLUGIN_RELEASES[0], repositoryUrl: PLUGIN_INDEX, force: true };
  const { files, pristine, warnings } = planInstall(target, wanted);
  // A plugin under a wrong key is not seen as installed, but as something to mend.
  const mended = warnings.length > target.notes.length;
  const installed = mended || files.some(({ path, before }) => before !== undefined && !pristine.has(path));
  if (!installed) return [skipped("plugin", "the plugin is not in these files; aec serve works without it")];
  const wrong = files.filter(({ before, after }) => before !== after);
  const mend: Check =
    wrong.length === 0
      ? ok("plugin", `the plugin is configured in ${target.directory}`)
      : {
          id: "plugin",
          result: "failure",
          reason: `the plugin's configuration has defects in ${wrong.map(({ path }) => path).join(", ")}`,
          evidence: warnings.join("\n") || undefined,
          fix: "aec install --dry-run, with this target, shows the repair",
        };
  return [mend, versionCheck(target)];
}

function versionCheck({ version, versionSource }: Target): Check {
  try {
    guardSpinnakerVersion(version, versionSource);
    return ok("plugin.version", `the plugin was published for Spinnaker ${version}`);
  } catch (error) {
    return { ...failed("plugin.version", error), result: "warning", evidence: versionSource };
  }
}

function pollingChecks(target: Target): Check[] {
  const ignored = configuredPolling(target).filter(({ inForce }) => !inForce);
  if (ignored.length === 0)
    return [ok("polling", "every interval in the files is one that Clouddriver reads")];
  return [
    {
      id: "polling",
      result: "warning",
      reason: "intervals in the files have no effect",
      evidence: ignored.map(({ file, key, reason }) => `${file}: ${key} (${reason})`).join("\n"),
      fix: "aec polling get, then aec polling set",
    },
  ];
}
