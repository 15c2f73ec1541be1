import type { Setting, Settings } from "../../config/settings.ts";
import type { Context } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { table } from "../../output/table.ts";
import { hideSecrets } from "../../secrets.ts";

const SECRET = new Set<keyof Settings>(["serveToken"]);

/** `aec status --settings`: each setting with its value and where it comes from; secrets are hidden. */
export async function run({ settings }: Context): Promise<CommandResult> {
  const { section, sectionOrigin, ...named } = settings;
  const rows: Row[] = Object.entries(named).map(([name, setting]) => ({
    name,
    ...(SECRET.has(name as keyof Settings) && setting.origin !== "not set"
      ? { value: "***", origin: setting.origin }
      : read(setting)),
  }));
  const shown = new Set(rows.map(({ name }) => name));
  for (const [key, value] of Object.entries(section)) {
    if (!shown.has(key))
      rows.push({ name: key, value: hide(JSON.stringify(value)), origin: `${sectionOrigin}.${key}` });
  }
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

interface Row {
  name: string;
  value: string | string[] | null;
  origin: string;
}

function read(setting: Setting<unknown>): Omit<Row, "name"> {
  try {
    const { value, origin } = setting;
    return { value: value === undefined ? null : hide(value), origin };
  } catch (error) {
    return { value: null, origin: messageOf(error) };
  }
}

function hide(value: unknown): string | string[] {
  return Array.isArray(value) ? value.map((item) => hideSecrets(String(item))) : hideSecrets(String(value));
}
