import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { type ApplyOptions, applyPlan } from "../install/apply.ts";
import { chooseTarget, type TargetOptions } from "../install/choose-target.ts";
import { planInstall } from "../install/plan.ts";
import { PLUGIN_ID, PLUGIN_INDEX, PLUGIN_RELEASES } from "../install/plugin.ts";
import { guardPluginVersion, guardSpinnakerVersion } from "../install/versions.ts";
import type { CommandResult } from "../output/output.ts";

export interface InstallOptions extends TargetOptions, ApplyOptions {
  spinnakerVersion?: string | undefined;
  pluginVersion?: string | undefined;
  repositoryUrl?: string | undefined;
  force?: boolean | undefined;
}

/** `aec install`: plans the edits of the target's files, shows them, asks, writes, says how to roll out. */
export async function run(context: Context, options: InstallOptions): Promise<CommandResult> {
  const target = chooseTarget(context, options);
  const version = options.pluginVersion ?? PLUGIN_RELEASES[0];
  guardPluginVersion(version);
  const repositoryUrl = options.repositoryUrl ?? PLUGIN_INDEX;
  if (!URL.canParse(repositoryUrl)) {
    throw usageError("bad-url", `--repository-url: "${repositoryUrl}" is not a URL`, {
      hint: "the directory or plugins.json of a mirror, such as https://mirror.example.com/plugins.json",
    });
  }
  if (!options.force) {
    guardSpinnakerVersion(
      options.spinnakerVersion ?? target.version,
      options.spinnakerVersion ? "--spinnaker-version" : target.versionSource,
    );
  }
  const plan = planInstall(target, { version, repositoryUrl, force: Boolean(options.force) });
  return applyPlan(
    context,
    plan,
    {
      target: target.label,
      purpose: "plugin",
      question: `Write these changes to ${target.directory}?`,
      rollout: target.rollout({ gate: true, cachingOnly: false }),
      proof: target.proof(context.settings.gate.value),
      settled: `${PLUGIN_ID} ${version} is installed in ${target.directory}: nothing to change.`,
    },
    options,
  );
}
