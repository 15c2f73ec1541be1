import { hideSecrets } from "../secrets.ts";
import type { OutputStream, World } from "../world.ts";
import { createPaint, type Paint } from "./paint.ts";

export type Format = "text" | "json" | "yaml";

/** What a command hands back: the JSON document, and the same for people. */
export interface CommandResult {
  data: unknown;
  text: (paint: Paint) => string;
  /** Exit code; 0 when absent. */
  exit?: number;
}

export interface OutputOptions {
  format: Format;
  quiet: boolean;
  verbose: boolean;
  color: "auto" | "always" | "never";
}

/** Results on stdout, everything else on stderr. */
export interface Output {
  readonly format: Format;
  readonly verbose: boolean;
  /** Colours for stderr. */
  readonly paint: Paint;
  /** Whether stderr is a terminal that may be redrawn. */
  readonly live: boolean;
  readonly stderr: OutputStream;
  /** Writes the result document, once. */
  result(result: CommandResult): Promise<void>;
  /** One compact JSON document, for commands that follow something. */
  line(document: unknown): void;
  /** A step that happens now; silent with --quiet. */
  say(text: string): void;
  /** What a question is about; not silenced. */
  show(text: string): void;
  warn(text: string): void;
  /** Shown with -v only. */
  trace(text: string): void;
}

/** The output of one run. */
export function createOutput(world: World, options: OutputOptions): Output {
  const paint = createPaint(world.stderr, options.color, world.env);
  // The one place that everything passes: what a URL carries is hidden here, whoever prints it.
  const tell = (text: string) => void world.stderr.write(`${hideSecrets(text)}\n`);
  return {
    format: options.format,
    verbose: options.verbose,
    paint,
    live: Boolean(world.stderr.isTTY) && !options.quiet && !options.verbose,
    stderr: world.stderr,
    async result({ data, text }) {
      if (options.format === "text") {
        const rendered = hideSecrets(text(createPaint(world.stdout, options.color, world.env)));
        if (rendered) world.stdout.write(rendered.endsWith("\n") ? rendered : `${rendered}\n`);
      } else {
        world.stdout.write(hideSecrets(await serialise(data, options.format)));
      }
    },
    line: (document) => void world.stdout.write(`${hideSecrets(JSON.stringify(document))}\n`),
    say: (text) => {
      if (!options.quiet) tell(text);
    },
    show: tell,
    warn: (text) => tell(`${paint.yellow("!")} ${text}`),
    trace: (text) => {
      if (options.verbose) tell(paint.dim(text));
    },
  };
}

/** One JSON or YAML document with a final newline. */
export async function serialise(data: unknown, format: "json" | "yaml"): Promise<string> {
  if (format === "json") return `${JSON.stringify(data, null, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(JSON.parse(JSON.stringify(data)));
}
