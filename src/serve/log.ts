import { type Logger, pino } from "pino";
import type { Context } from "../context.ts";

/** One JSON line per event on stderr, in the world's time. */
export function createLog({ world, out }: Context, level: "info" | "warn" = "info"): Logger {
  const { clock, stderr } = world;
  // Under load many lines of one turn of the event loop are one write.
  let lines = "";
  const flush = () => {
    stderr.write(lines);
    lines = "";
  };
  return pino(
    {
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      level: out.verbose ? "debug" : level,
    },
    {
      write(line: string) {
        if (lines === "") setImmediate(flush);
        lines += line;
      },
    },
  );
}
