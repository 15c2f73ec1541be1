import type { Context } from "../context.ts";
import { type ApplyOptions, applyPlan } from "../install/apply.ts";
import { chooseTarget, type TargetOptions } from "../install/choose-target.ts";
import { planUninstall } from "../install/plan.ts";
import { PLUGIN_ID } from "../install/plugin.ts";
import { stateDirectory } from "../install/state.ts";
import type { CommandResult } from "../output/output.ts";

export interface UninstallOptions extends TargetOptions, ApplyOptions {}

/** `aec uninstall`: takes the plugin out again, to the byte where nobody else wrote to the files. */
export async function run(context: Context, options: UninstallOptions): Promise<CommandResult> {
  const target = chooseTarget(context, options);
  return applyPlan(
    context,
    planUninstall(target, stateDirectory(context.world)),
    {
      target: target.label,
      purpose: "plugin",
      question: `Remove ${PLUGIN_ID} from ${target.directory}?`,
      rollout: target.rollout({ gate: true, cachingOnly: false }),
      proof: [],
      settled: `${PLUGIN_ID} is not installed in ${target.directory}: nothing to remove.`,
      undo: true,
    },
    options,
  );
}
