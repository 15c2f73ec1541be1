import type { ConfigFile } from "./config/file.ts";
import { locateConfig } from "./config/locate.ts";
import { type ConnectionFlags, hideSecrets, resolveSettings, type Settings } from "./config/settings.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { EXIT, ExpectedError, messageOf, usageError } from "./errors.ts";
import { createOutput, type Format, type Output } from "./output/output.ts";
import type { World } from "./world.ts";

/** The global options of one command line. */
export interface GlobalOptions extends ConnectionFlags {
  config?: string | undefined;
  output: Format;
  yes?: boolean | undefined;
  /** False with --no-input. */
  input: boolean;
  color: "auto" | "always" | "never";
  quiet?: boolean | undefined;
  verbose?: boolean | undefined;
  timeout?: string | undefined;
}

/** What every command works with. */
export interface Context {
  world: World;
  out: Output;
  settings: Settings;
  /** Runs another command line, in a world of its own. */
  aec: (argv: readonly string[], world: World) => Promise<number>;
  /** `world.fetch`, traced with -v. */
  fetch: typeof fetch;
  /** --timeout, else `fallbackMs`; milliseconds. */
  timeout(fallbackMs: number): number;
  /**
   * Asks before something changes; --yes answers. Throws "declined" (exit 1) on a no, and a usage error that
   * names --yes where nobody can be asked.
   */
  confirm(question: string): Promise<void>;
}

/** Resolves settings (reading `aec.yml` if there is one) and opens the output. */
export async function createContext(
  world: World,
  options: GlobalOptions,
  aec: Context["aec"],
): Promise<Context> {
  const out = createOutput(world, {
    format: options.output,
    color: options.color,
    quiet: Boolean(options.quiet),
    verbose: Boolean(options.verbose),
  });
  const path = locateConfig(world, options.config);
  const file: ConfigFile | undefined = path ? (await import("./config/file.ts")).readConfig(path) : undefined;
  return {
    world,
    out,
    aec,
    settings: resolveSettings(options, world.env, file),
    fetch: tracedFetch(world, out),
    timeout: (fallbackMs) =>
      options.timeout === undefined ? fallbackMs : parseDuration(options.timeout, "--timeout"),
    async confirm(question) {
      if (options.yes) return;
      if (!options.input || !world.stdin.isTTY || !world.stderr.isTTY) {
        throw usageError("needs-yes", `${question} Nobody can be asked here.`, {
          hint: "add --yes, or --dry-run to look first",
        });
      }
      if (!(await world.prompter.confirm(question))) {
        throw new ExpectedError(EXIT.failed, "declined", "declined: nothing was changed");
      }
    },
  };
}

function tracedFetch(world: World, out: Output): typeof fetch {
  if (!out.verbose) return world.fetch;
  return async (input, init) => {
    const started = world.clock.now();
    const what = `${init?.method ?? "GET"} ${hideSecrets(String(input instanceof Request ? input.url : input))}`;
    const took = () => formatDuration(world.clock.now() - started);
    try {
      const response = await world.fetch(input, init);
      out.trace(`${what} → ${response.status} (${took()})`);
      return response;
    } catch (error) {
      out.trace(`${what} → ${messageOf(error)} (${took()})`);
      throw error;
    }
  };
}
