import { hideSecrets, type Setting, type Settings } from "../config/settings.ts";
import type { Context } from "../context.ts";
import type { CommandResult } from "../output/output.ts";
import { table } from "../output/table.ts";

const SECRET = new Set<keyof Settings>(["serveToken"]);

/** `aec status --settings`: each setting with its value and where it comes from; secrets are hidden. */
export async function run({ settings }: Context): Promise<CommandResult> {
  const { section: _, ...named } = settings;
  const rows = Object.entries(named).map(([name, { value, origin }]: [string, Setting<unknown>]) => ({
    name,
    value: value === undefined ? null : SECRET.has(name as keyof Settings) ? "***" : hide(value),
    origin,
  }));
  return {
    data: { settings: rows },
    text: (paint) =>
      table(
        ["SETTING", "VALUE", "FROM"],
        rows.map(({ name, value, origin }) => [
          name,
          value === null ? paint.dim("-") : [value].flat().join(", "),
          origin,
        ]),
      ),
  };
}

function hide(value: unknown): string | string[] {
  return Array.isArray(value) ? value.map((item) => hideSecrets(String(item))) : hideSecrets(String(value));
}
