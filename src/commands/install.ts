import type { Context } from "../context.ts";
import { EXIT, usageError } from "../errors.ts";
import { assertGateUrl } from "../gate/url.ts";
import { type ApplyOptions, applyPlan } from "../install/apply.ts";
import { buildCheck } from "../install/build.ts";
import { chooseTarget, type TargetOptions } from "../install/choose-target.ts";
import { printedFragments } from "../install/fragments.ts";
import { joinPlans, planInstall } from "../install/plan.ts";
import { PLUGIN_ID, PLUGIN_INDEX, PLUGIN_RELEASES } from "../install/plugin.ts";
import type { WantedPlugin } from "../install/profile.ts";
import { verifyInstallation } from "../install/verify.ts";
import { guardPluginVersion, guardSpinnakerVersion } from "../install/versions.ts";
import type { CommandResult } from "../output/output.ts";
import { PRESETS, type Preset, planPolling } from "../polling/settings.ts";

export interface InstallOptions extends TargetOptions, ApplyOptions {
  spinnakerVersion?: string | undefined;
  pluginVersion?: string | undefined;
  repositoryUrl?: string | undefined;
  /** A preset, or true for the one of the environment's kind. */
  polling?: Preset | true | undefined;
  force?: boolean | undefined;
  print?: boolean | undefined;
  verify?: boolean | undefined;
}

/** `aec install`: plans the edits of the target's files, shows them, asks, writes, says how to roll out. */
export async function run(context: Context, options: InstallOptions): Promise<CommandResult> {
  if (options.verify) return verified(context);
  const wanted = wantedPlugin(options);
  if (options.print) {
    if (options.spinnakerVersion && !options.force)
      guardSpinnakerVersion(options.spinnakerVersion, "--spinnaker-version");
    return printedFragments(wanted);
  }
  const target = chooseTarget(context, options);
  if (!options.force) {
    guardSpinnakerVersion(
      options.spinnakerVersion ?? target.version,
      options.spinnakerVersion ? "--spinnaker-version" : target.versionSource,
    );
  }
  const preset = presetOf(context, options);
  const plugin = planInstall(target, wanted);
  const plan = preset ? joinPlans(plugin, (read) => planPolling(target, PRESETS[preset], read)) : plugin;
  return applyPlan(
    context,
    plan,
    {
      target: target.label,
      purpose: "plugin",
      question: `Write these changes to ${target.directory}?`,
      rollout: target.rollout({ gate: true, cachingOnly: false }),
      proof: target.proof(context.settings.gate.value),
      settled: `${PLUGIN_ID} ${wanted.version} is installed in ${target.directory}: nothing to change.`,
      ...(!options.dryRun && (await buildCheck(context, target, plan))),
    },
    options,
  );
}

function wantedPlugin(options: InstallOptions): WantedPlugin {
  const version = options.pluginVersion ?? PLUGIN_RELEASES[0];
  guardPluginVersion(version);
  const repositoryUrl = options.repositoryUrl ?? PLUGIN_INDEX;
  if (!URL.canParse(repositoryUrl)) {
    throw usageError("bad-url", `--repository-url: "${repositoryUrl}" is not a URL`, {
      hint: "the directory or plugins.json of a mirror, such as https://mirror.example.com/plugins.json",
    });
  }
  return { version, repositoryUrl, force: Boolean(options.force) };
}

function presetOf({ settings }: Context, { polling }: InstallOptions): Preset | undefined {
  if (polling !== true) return polling;
  const { kind } = settings.section;
  if (kind) return kind;
  throw usageError("no-preset", "--polling needs a preset: the environment has no kind", {
    hint: "--polling production, --polling non-production, or kind in aec.yml",
  });
}

async function verified(context: Context): Promise<CommandResult> {
  const gate = context.settings.gate.value;
  if (gate === undefined) {
    throw usageError("no-gate", "--verify needs Gate's address", {
      hint: "add --gate-url https://gate.example.com",
    });
  }
  assertGateUrl(gate, context.settings.gate.origin);
  const checks = await verifyInstallation(context, gate);
  return {
    data: { checks },
    exit: checks.some(({ result }) => result === "failure") ? EXIT.failed : EXIT.ok,
    text: (paint) =>
      checks
        .map(({ id, result, reason, fix }) => {
          const mark = {
            ok: paint.green("ok     "),
            unknown: paint.yellow("unknown"),
            failure: paint.red("failure"),
          }[result];
          return `${mark} ${id}: ${reason}${fix ? `\n        ${fix}` : ""}`;
        })
        .join("\n"),
  };
}
