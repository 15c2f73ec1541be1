import { Chalk, type ChalkInstance } from "chalk";
import type { OutputStream, World } from "../world.ts";

export type Paint = ChalkInstance;

/**
 * Colours for one stream: --color, then NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it is a terminal.
 * (chalk itself does not read NO_COLOR.)
 */
export function createPaint(
  stream: OutputStream,
  choice: "auto" | "always" | "never",
  env: World["env"],
): Paint {
  return new Chalk({ level: wanted() ? 1 : 0 });

  function wanted(): boolean {
    if (choice !== "auto") return choice === "always";
    if (env.NO_COLOR) return false;
    if (env.FORCE_COLOR && env.FORCE_COLOR !== "0") return true;
    return env.TERM !== "dumb" && Boolean(stream.isTTY);
  }
}
