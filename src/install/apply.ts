import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Context } from "../context.ts";
import { EXIT, failure } from "../errors.ts";
import { paintDiff, unifiedDiff } from "../output/diff.ts";
import type { CommandResult } from "../output/output.ts";
import { actionOf, applyChange, assertApplicable, type FileAction, removeLeftovers } from "./files.ts";
import { withLock } from "./lock.ts";
import type { FilePlan } from "./plan.ts";
import { forget, type Purpose, readRecord, recordChange, restoreRecord, stateDirectory } from "./state.ts";

export interface ApplyOptions {
  dryRun?: boolean | undefined;
  exitCode?: boolean | undefined;
}

/** What happens around the files of a plan. */
export interface Surroundings {
  target: string;
  question: string;
  rollout: string[];
  /** How to prove that it worked; empty where nothing is to prove. */
  proof: string[];
  /** The one line when there is nothing to do. */
  settled: string;
  purpose: Purpose;
  /** Looks at the target with the files written; what it finds wrong undoes them. */
  check?: () => Promise<string | undefined>;
  /** The files end as they were before `aec`: records go instead of being written. */
  undo?: boolean;
}

interface FileReport {
  path: string;
  action: FileAction;
  diff: string;
}

/** Shows a plan, asks, writes the files one after the other and tells what is to be done next. */
export async function applyPlan(
  context: Context,
  plan: FilePlan,
  around: Surroundings,
  options: ApplyOptions,
): Promise<CommandResult> {
  const { out } = context;
  const files = plan.files.map(
    (change): FileReport => ({
      path: change.path,
      action: actionOf(change),
      diff: change.before === change.after ? "" : unifiedDiff(change.path, change.before, change.after),
    }),
  );
  const changes = plan.files.filter((change) => actionOf(change) !== "none");
  for (const warning of plan.warnings) out.warn(warning);

  const changed = changes.length > 0;
  const data = {
    target: around.target,
    files,
    rollout: changed ? around.rollout : [],
    proof: changed ? around.proof : [],
    warnings: plan.warnings,
    dryRun: Boolean(options.dryRun),
  };
  if (!changed) {
    const again = around.undo ? [] : ["If that is not rolled out yet:", "", ...nextSteps(around)];
    return { data, text: () => [around.settled, ...again].join("\n") };
  }

  if (options.dryRun) {
    return {
      data,
      exit: options.exitCode ? EXIT.differences : EXIT.ok,
      text: (paint) =>
        [
          ...files.map(({ diff }) => paintDiff(diff, paint)).filter(Boolean),
          "Dry run: nothing was written. Afterwards:",
          "",
          ...nextSteps(around),
        ].join("\n"),
    };
  }

  // --quiet hides narration, not what a person is asked about.
  const show = context.asks ? out.show : out.say;
  for (const { diff } of files) if (diff) show(paintDiff(diff, out.paint));
  await context.confirm(around.question);
  for (const change of changes) assertApplicable(change);
  const state = stateDirectory(context.world);
  await withLock(state, async () => {
    for (const directory of new Set(plan.files.map(({ path }) => dirname(path)))) {
      if (removeLeftovers(directory)) {
        out.warn(
          `an earlier aec was ended while it wrote to ${directory}: its unfinished file is removed, this run completes`,
        );
      }
    }
    const made = [...new Set(changes.map(({ path }) => dirname(path)))].filter((path) => !existsSync(path));
    const earlier = changes.map(({ path }) => ({ path, record: readRecord(state, path, around.purpose) }));
    for (const change of changes) {
      if (!around.undo) recordChange(state, change, plan.pristine.has(change.path), around.purpose);
      applyChange(change);
      if (around.undo) forget(state, change.path, around.purpose);
    }
    // Nothing half right stays: each file becomes what it was, after a Ctrl-C too.
    const undoAll = () => {
      for (const { path, before, after } of changes.toReversed()) {
        applyChange({ path, before: after, after: before });
      }
      for (const directory of made) if (readdirSync(directory).length === 0) rmdirSync(directory);
      for (const { path, record } of earlier) restoreRecord(state, path, around.purpose, record);
    };
    let wrong: string | undefined;
    try {
      wrong = await around.check?.();
    } catch (error) {
      undoAll();
      throw error;
    }
    if (wrong === undefined) return;
    undoAll();
    throw failure("build-check-failed", wrong, { hint: "every file is again as it was" });
  });
  return {
    data,
    text: () =>
      [
        ...files
          .filter(({ action }) => action !== "none")
          .map(({ path, action }) => `${PAST[action]} ${path}`),
        "",
        ...nextSteps(around),
      ].join("\n"),
  };
}

function nextSteps({ rollout, proof }: Surroundings): string[] {
  const indented = (commands: readonly string[]) => commands.map((command) => `  ${command}`);
  return ["Roll out:", ...indented(rollout), ...(proof.length > 0 ? ["Prove it:", ...indented(proof)] : [])];
}

const PAST: Record<FileAction, string> = {
  create: "created",
  edit: "edited",
  delete: "deleted",
  none: "unchanged",
};
