import { createRequire } from "node:module";
import { Command, Option, type OptionValues } from "commander";
import type { Context, GlobalOptions } from "./context.ts";
import type { CommandResult } from "./output/output.ts";
import type { World } from "./world.ts";

/** Runs the body of a command in its context. */
export type Runner = (
  options: GlobalOptions,
  work: (context: Context) => Promise<CommandResult | undefined>,
) => Promise<void>;

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

/** The whole command tree. Commands are imported when they run, so that --help loads commander alone. */
export function buildProgram(world: World, complaints: string[], run: Runner) {
  const program = new Command("aec")
    .description("Makes Spinnaker's AWS cache event-driven: AWS says what changed, aec refreshes just that.")
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void complaints.push(text),
      getOutHelpWidth: () => world.stdout.columns ?? 100,
      getErrHelpWidth: () => world.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .option("--config <file>", "aec.yml to read (default: ./aec.yml, then $XDG_CONFIG_HOME/aec/aec.yml)")
    .option("--env <name>", "environment of aec.yml")
    .addOption(
      new Option("-o, --output <format>", "form of the result")
        .choices(["text", "json", "yaml"])
        .default("text"),
    )
    .option("-y, --yes", "answer every question with yes")
    .option("--no-input", "never ask; fail and name the missing flag")
    .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"))
    .option("-q, --quiet", "results only, no narration")
    .option("-v, --verbose", "show each HTTP and AWS call with its duration")
    .option("--timeout <duration>", "bound on waiting, such as 90s or 10m")
    .addHelpText(
      "after",
      `
Exit codes: 0 done or nothing to do, 1 failed or declined, 2 wrong usage or configuration, 3 differences
(--exit-code), 4 credentials or permission, 5 partly done, 8 timed out while waiting, 130 interrupted.

Start here: aec demo`,
    );

  const act = (work: (context: Context) => Promise<CommandResult | undefined>) =>
    run(program.opts() as GlobalOptions, work);

  dryRun(target(program.command("install")))
    .description("install the AWS Event Cache plugin into a target's files")
    .option("--spinnaker-version <version>", "where the target does not tell")
    .option("--plugin-version <version>", "release of the plugin (default: the newest)")
    .option("--repository-url <url>", "plugins.json of a mirror")
    .option("--force", "install outside the plugin's matrix, or where the plugin was switched off")
    .addHelpText(
      "after",
      `
Examples:
  aec install --halyard --dry-run
  aec install --halyard --hal-dir /home/spinnaker/.hal --deployment prod --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/install.ts")).run(context, options)),
    );

  dryRun(target(program.command("uninstall")))
    .description("take the plugin out again")
    .addHelpText(
      "after",
      `
Examples:
  aec uninstall --halyard --dry-run
  aec uninstall --halyard --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/uninstall.ts")).run(context, options)),
    );

  const polling = program.command("polling").description("how often Clouddriver's caching agents poll AWS");
  target(polling.command("get"))
    .description("what is configured, where, and whether Clouddriver obeys it")
    .addHelpText(
      "after",
      `
Examples:
  aec polling get --halyard
  aec polling get --halyard -o json`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/polling/get.ts")).run(context, options)),
    );
  dryRun(target(polling.command("set")))
    .description("write the intervals into the file and namespace that Clouddriver reads")
    .option("--interval <duration>", "time between two runs of an agent")
    .option("--error-interval <duration>", "the same after a failed run")
    .option("--agent-timeout <duration>", "life of a running agent's lock; at least 60s over the interval")
    .addHelpText(
      "after",
      `
Examples:
  aec polling set --halyard --interval 120s --error-interval 120s
  aec polling set --halyard --deployment staging --interval 5m --agent-timeout 10m --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/polling/set.ts")).run(context, options)),
    );

  return program;
}

function target<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return command
    .option("--halyard", "Halyard local profiles")
    .option("--hal-dir <dir>", "Halyard directory (default: ~/.hal)")
    .option("--deployment <name>", "Halyard deployment (default: the current one)");
}

function dryRun<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return command
    .option("--dry-run", "show what would change, change nothing")
    .option("--exit-code", "with --dry-run: exit 3 if something would change");
}
