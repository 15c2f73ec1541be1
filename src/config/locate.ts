import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { usageError } from "../errors.ts";
import type { World } from "../world.ts";

/** Where `aec.yml` may lie, first match wins: `--config`, `./aec.yml`, `$XDG_CONFIG_HOME/aec/aec.yml`. */
export function locateConfig(world: World, flag: string | undefined): string | undefined {
  if (flag !== undefined) {
    const path = resolve(world.cwd, flag);
    if (!existsSync(path)) throw usageError("config-missing", `no such file: ${path} (--config)`);
    return path;
  }
  const userConfig = world.env.XDG_CONFIG_HOME || join(world.home, ".config");
  return [join(world.cwd, "aec.yml"), join(userConfig, "aec", "aec.yml")].find((path) => existsSync(path));
}
