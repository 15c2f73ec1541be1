import { setMaxListeners } from "node:events";
import type { ConfigFile } from "./config/file.ts";
import { locateConfig } from "./config/locate.ts";
import { type ConnectionFlags, resolveSettings, type Setting, type Settings } from "./config/settings.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { EXIT, ExpectedError, messageOf, usageError } from "./errors.ts";
import type { Forwards } from "./kube.ts";
import { createOutput, type Format, type Output } from "./output/output.ts";
import { hideSecrets } from "./secrets.ts";
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
  kubeNamespace?: string | undefined;
  kubeContext?: string | undefined;
}

/** The origin of addresses that `kubectl port-forward` opened for this command alone. */
export const FORWARDED = "--kube-namespace";

/** What every command works with. */
export interface Context {
  world: World;
  out: Output;
  settings: Settings;
  /** The `aec.yml` that was found or named. */
  configFile: string | undefined;
  /** What flags and variables say, without `aec.yml`. */
  settingsWithoutFile(): Settings;
  /** Names of the environments of `aec.yml`. */
  environments(): string[];
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
  /** Asks for a line of text; empty where nobody can be asked, or with --yes. */
  ask(question: string): Promise<string>;
  /** Ends what was opened for the command's life. */
  close(): void;
  /** Whether `confirm` is going to ask a person, who then has to see what about. */
  asks: boolean;
}

/** Opens the output and finds `aec.yml`. Throws usage errors. */
export async function createContext(
  world: World,
  options: GlobalOptions,
  aec: Context["aec"],
): Promise<Context> {
  // Everything that waits listens for Ctrl-C.
  setMaxListeners(0, world.signal);
  const out = createOutput(world, {
    format: options.output,
    color: options.color,
    quiet: Boolean(options.quiet),
    verbose: Boolean(options.verbose),
  });
  const timeout = options.timeout === undefined ? undefined : parseDuration(options.timeout, "--timeout");
  const path = locateConfig(world, options.config);
  const reader = path === undefined ? undefined : await import("./config/file.ts");
  let settings: Settings | undefined;
  const forwards = await forward(world, out, options);
  const resolve = (file: ConfigFile | undefined) =>
    forwarded(resolveSettings(options, world, file), forwards, options);
  return {
    world,
    out,
    aec,
    // Read on first use: a broken aec.yml stops only what needs it.
    get settings() {
      settings ??= resolve(path === undefined ? undefined : reader?.readConfig(path));
      return settings;
    },
    configFile: path,
    settingsWithoutFile: () => resolve(undefined),
    environments: () =>
      path === undefined ? [] : Object.keys(reader?.readConfig(path).config.environments ?? {}),
    fetch: tracedFetch(world, out),
    timeout: (fallbackMs) => timeout ?? fallbackMs,
    asks: !options.yes,
    close() {
      if (forwards && "close" in forwards) forwards.close();
    },
    ask: async (question) =>
      options.yes || !options.input || !world.stdin.isTTY || !world.stderr.isTTY
        ? ""
        : world.prompter.ask(question),
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

/** Opens ports to Spinnaker's services where a namespace is named; what that fails of matters to those who use them. */
async function forward(
  world: World,
  out: Output,
  { kubeNamespace, kubeContext }: GlobalOptions,
): Promise<Forwards | { problem: unknown } | undefined> {
  if (kubeNamespace === undefined) return undefined;
  const { openForwards } = await import("./kube.ts");
  try {
    const forwards = await openForwards(world, { namespace: kubeNamespace, context: kubeContext });
    out.say(
      `forwarding ${forwards.clouddriver.join(", ")}: of several pods, kubectl reaches one, and only its agents show`,
    );
    return forwards;
  } catch (problem) {
    if (world.signal.aborted) throw problem;
    return { problem };
  }
}

/** The settings with the forwarded ports, where no flag names another address. */
function forwarded(
  settings: Settings,
  forwards: Forwards | { problem: unknown } | undefined,
  { clouddriverUrl, gateUrl }: GlobalOptions,
): Settings {
  if (!forwards) return settings;
  const setting = <T>(value: (open: Forwards) => T): Setting<T> => ({
    origin: FORWARDED,
    get value() {
      if ("problem" in forwards) throw forwards.problem;
      return value(forwards);
    },
  });
  if (clouddriverUrl === undefined) settings.clouddriver = setting(({ clouddriver }) => clouddriver);
  if (gateUrl === undefined && !("gate" in forwards && forwards.gate === undefined))
    settings.gate = setting(({ gate }) => gate ?? "");
  return settings;
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
