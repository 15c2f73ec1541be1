import { join, resolve } from "node:path";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";

/** Where configuration lives, as the command line names it. */
export interface TargetOptions {
  halyard?: boolean | undefined;
  halDir?: string | undefined;
  deployment?: string | undefined;
}

/** The Halyard directory: --hal-dir, then `target.halyard` of `aec.yml`, then `~/.hal`. Throws where no target is named. */
export function halyardDirectory(context: Context, options: TargetOptions): string {
  const { world, settings } = context;
  const configured = settings.section.target?.halyard;
  if (!options.halyard && options.halDir === undefined && configured === undefined) {
    throw usageError("no-target", "no target is named", {
      hint: "add --halyard, or set target in aec.yml",
    });
  }
  return expandHome(options.halDir ?? configured ?? join(world.home, ".hal"), context);
}

function expandHome(path: string, { world }: Context): string {
  return path === "~" || path.startsWith("~/") ? join(world.home, path.slice(1)) : resolve(world.cwd, path);
}
