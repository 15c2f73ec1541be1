import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { type ApplyOptions, applyPlan } from "../install/apply.ts";
import { readHalyard } from "../install/halyard.ts";
import { planUninstall } from "../install/plan.ts";
import { PLUGIN_ID } from "../install/plugin.ts";
import { halyardRollout } from "../install/rollout.ts";
import { stateDirectory } from "../install/state.ts";
import { halyardDirectory, type TargetOptions } from "../install/target.ts";
import type { CommandResult } from "../output/output.ts";

export interface UninstallOptions extends TargetOptions, ApplyOptions {}

/** `aec uninstall`: takes the plugin out again, to the byte where nobody else wrote to the files. */
export async function run(context: Context, options: UninstallOptions): Promise<CommandResult> {
  const deployment = readHalyard(halyardDirectory(context, options), options.deployment);
  return applyPlan(
    context,
    planUninstall(deployment, stateDirectory(context.world)),
    {
      target: `halyard:${resolve(deployment.profilesDir)}`,
      question: `Remove ${PLUGIN_ID} from ${deployment.profilesDir}?`,
      rollout: halyardRollout(deployment, { gate: true, cachingOnly: false }),
      proof: [],
      settled: `${PLUGIN_ID} is not installed in ${deployment.profilesDir}: nothing to remove.`,
      undo: true,
    },
    options,
  );
}
