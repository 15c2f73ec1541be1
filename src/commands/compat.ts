import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { PLUGIN_RELEASES } from "../install/plugin.ts";
import { readPluginNeeds } from "../install/plugin-zip.ts";
import { findTrain, TRAINS, type Train } from "../install/versions.ts";
import { nearest } from "../nearest.ts";
import type { CommandResult } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import { table } from "../output/table.ts";

export interface CompatOptions {
  plugin?: string | undefined;
}

/** `aec compat`: what works on which train of Spinnaker, for one version or for all; with --plugin for a file. */
export async function run(
  context: Context,
  version: string | undefined,
  options: CompatOptions,
): Promise<CommandResult> {
  const trains = version === undefined ? TRAINS : [knownTrain(version)];
  if (options.plugin !== undefined) return ofFile(resolve(context.world.cwd, options.plugin), trains);
  return {
    data: {
      plugin: { releases: PLUGIN_RELEASES },
      trains: trains.map(({ name, distribution, plugin, notes }) => ({
        train: name,
        distribution,
        plugin,
        serve: true,
        polling: true,
        notes,
      })),
    },
    text: (paint) =>
      table(
        ["TRAIN", "", "PLUGIN", "AEC SERVE, REFRESH, POLLING", "NOTES"],
        trains.map(({ name, distribution, plugin, notes }) => [
          name,
          distribution,
          yesOrNo(plugin, paint),
          yesOrNo(true, paint),
          notes.join("; "),
        ]),
      ),
  };
}

function ofFile(path: string, trains: readonly Train[]): CommandResult {
  const { references, classes } = readPluginNeeds(path);
  const rows = trains.map((train) => {
    const missing = train.gone.flatMap((prefix) => references.get(prefix) ?? []);
    return { train: train.name, distribution: train.distribution, loads: missing.length === 0, missing };
  });
  return {
    data: { plugin: path, classes, trains: rows },
    text: (paint) =>
      table(
        ["TRAIN", "", "CAN LOAD", "MISSES"],
        rows.map(({ train, distribution, loads, missing }) => [
          train,
          distribution,
          yesOrNo(loads, paint),
          missing.slice(0, 2).join(", ") + (missing.length > 2 ? `, ${missing.length - 2} more` : ""),
        ]),
      ),
  };
}

function knownTrain(version: string): Train {
  const found = findTrain(version);
  if (found) return found;
  const names = TRAINS.map(({ name }) => name);
  const suggestion = nearest(version, names);
  throw usageError("train-unknown", `nothing is known of Spinnaker "${version}"`, {
    detail: `known: ${names.join(", ")}`,
    hint: suggestion
      ? `did you mean ${suggestion}?`
      : "aec serve, refresh and polling are not bound to a train",
  });
}

function yesOrNo(yes: boolean, paint: Paint): string {
  return yes ? paint.green("yes") : paint.yellow("no");
}
