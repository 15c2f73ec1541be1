import { join, resolve } from "node:path";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import type { Target } from "./target.ts";
import { halyardTarget } from "./targets/halyard.ts";
import { kustomizeTarget } from "./targets/kustomize.ts";
import { operatorTarget } from "./targets/operator.ts";
import { profilesDirTarget } from "./targets/profiles-dir.ts";

/** Where configuration lives, as the command line names it. */
export interface TargetOptions {
  halyard?: boolean | undefined;
  halDir?: string | undefined;
  deployment?: string | undefined;
  operator?: string | undefined;
  armory?: string | undefined;
  kustomize?: string | undefined;
  profilesDir?: string | undefined;
}

/** The one target of a command: from its flags, else from `aec.yml`. Throws where none or several are named. */
export function chooseTarget(context: Context, options: TargetOptions): Target {
  const { halyard, halDir, deployment, operator, armory, kustomize, profilesDir } = options;
  const configured = context.settings.section.target ?? {};
  const flags = {
    ...((halyard || halDir !== undefined) && { halyard: halDir ?? configured.halyard ?? "~/.hal" }),
    ...(operator !== undefined && { operator }),
    ...(armory !== undefined && { armory }),
    ...(kustomize !== undefined && { kustomize }),
    ...(profilesDir !== undefined && { profilesDir }),
  };
  const named = Object.keys(flags).length > 0 ? flags : configured;
  const [[kind, path] = [], ...more] = Object.entries(named);
  if (kind === undefined || path === undefined) {
    throw usageError("no-target", "no target is named", {
      hint: "add --halyard, --operator DIR, --armory DIR, --kustomize DIR or --profiles-dir DIR, or set target in aec.yml",
    });
  }
  if (more.length > 0) {
    throw usageError("several-targets", `several targets are named: ${Object.keys(named).join(", ")}`, {
      hint: "one command writes to one target",
    });
  }
  if (path === "") {
    throw usageError("no-directory", `the directory of ${kind} is empty`, {
      hint: "is a variable of your script unset?",
    });
  }
  const directory = expandHome(path, context);
  switch (kind) {
    case "halyard":
      return halyardTarget(directory, deployment);
    case "operator":
      return operatorTarget(directory, undefined);
    case "armory":
      return operatorTarget(directory, "armory");
    case "kustomize":
      return kustomizeTarget(directory);
    default:
      return profilesDirTarget(directory);
  }
}

function expandHome(path: string, { world }: Context): string {
  return path === "~" || path.startsWith("~/") ? join(world.home, path.slice(1)) : resolve(world.cwd, path);
}
