import pLimit from "p-limit";
import { type Place, placeName } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, ExpectedError } from "../errors.ts";
import type { CommandResult } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import { table } from "../output/table.ts";

/** What a command found out or did in one place. */
export interface PlaceResult {
  data: object;
  text: (paint: Paint) => string;
  /** Stands for the text where several places are listed, below the headings given to `readInPlaces`. */
  row?: (paint: Paint) => readonly string[];
  exit?: ExitCode;
}

/** What a command would do in one place. */
export interface Proposal {
  data: object;
  /** One line for each resource: `create topic`, `update recorder (…)`, `ok     subscription`. */
  lines: readonly string[];
  /** Whether applying changes anything. */
  differs: boolean;
  apply(): Promise<PlaceResult>;
}

export interface ApplyOptions {
  dryRun?: boolean | undefined;
  exitCode?: boolean | undefined;
}

type Outcome<T> = { place: Place; value: T } | { place: Place; error: ExpectedError };

const MAX_CONCURRENT = 4;

/** Looks at every place, side by side; several make a table where `headings` are given. */
export async function readInPlaces(
  places: readonly Place[],
  read: (place: Place) => Promise<PlaceResult>,
  headings?: readonly string[],
): Promise<CommandResult> {
  return joined(await everywhere(places, read), headings);
}

/**
 * Plans in every place, shows all of it where something changes, asks once, and applies. A place that fails does not
 * stop the others; with one place alone its error is the command's.
 */
export async function applyInPlaces(
  context: Context,
  places: readonly Place[],
  propose: (place: Place) => Promise<Proposal>,
  options: ApplyOptions,
): Promise<CommandResult> {
  const proposals = await everywhere(places, propose);
  if (options.dryRun) {
    return joined(
      proposals.map((proposal) =>
        "error" in proposal
          ? proposal
          : { place: proposal.place, value: dryRun(proposal.value, options.exitCode) },
      ),
    );
  }
  const changing = proposals.flatMap((proposal) =>
    "value" in proposal && proposal.value.differs ? [proposal] : [],
  );
  if (changing.length > 0) {
    const show = context.asks ? context.out.show : context.out.say;
    for (const { place, value } of changing) {
      if (places.length > 1) show(`${placeName(place)}:`);
      for (const line of value.lines) show(places.length > 1 ? `  ${line}` : line);
    }
    const where = changing.map(({ place }) => placeName(place)).join("; ");
    await context.confirm(`Make these changes in ${where}?`);
  }
  const planned = new Map(
    proposals.flatMap((proposal) => ("value" in proposal ? [[proposal.place, proposal.value] as const] : [])),
  );
  const applied = await everywhere([...planned.keys()], async (place) => {
    const result = await planned.get(place)?.apply();
    if (!result) throw new Error("a place without its proposal");
    return result;
  });
  const failed = proposals.filter((proposal) => "error" in proposal);
  return joined([...applied, ...failed]);
}

function dryRun({ data, lines, differs }: Proposal, exitCode: boolean | undefined): PlaceResult {
  return {
    data: { ...data, dryRun: true },
    text: () => [...lines, "Dry run: nothing was changed."].join("\n"),
    exit: exitCode && differs ? EXIT.differences : EXIT.ok,
  };
}

async function everywhere<T>(
  places: readonly Place[],
  work: (place: Place) => Promise<T>,
): Promise<Outcome<T>[]> {
  const limit = pLimit(MAX_CONCURRENT);
  return Promise.all(
    places.map((place) =>
      limit(async (): Promise<Outcome<T>> => {
        try {
          return { place, value: await work(place) };
        } catch (error) {
          if (places.length === 1 || !(error instanceof ExpectedError)) throw error;
          return { place, error };
        }
      }),
    ),
  );
}

/** One place: its document as it is. Several: `{"results": […]}`, each with account and Region. */
function joined(outcomes: readonly Outcome<PlaceResult>[], headings?: readonly string[]): CommandResult {
  const [only] = outcomes;
  if (only && outcomes.length === 1) {
    if ("error" in only) throw only.error;
    return only.value;
  }
  return {
    data: {
      results: outcomes.map((outcome) => ({
        ...where(outcome.place),
        ...("error" in outcome ? { error: explained(outcome.error) } : outcome.value.data),
      })),
    },
    exit: exitOf(outcomes),
    text: (paint) => (headings ? tableOf(outcomes, headings, paint) : listOf(outcomes, paint)),
  };
}

function listOf(outcomes: readonly Outcome<PlaceResult>[], paint: Paint): string {
  return outcomes
    .map((outcome) => {
      const text = "error" in outcome ? errorText(outcome.error, paint) : outcome.value.text(paint);
      return `${paint.bold(placeName(outcome.place))}\n${text.trimEnd().replaceAll(/^(?=.)/gm, "  ")}`;
    })
    .join("\n");
}

function tableOf(
  outcomes: readonly Outcome<PlaceResult>[],
  headings: readonly string[],
  paint: Paint,
): string {
  const rows = outcomes.flatMap((outcome) =>
    "value" in outcome
      ? [[outcome.place.accountId, outcome.place.region, ...(outcome.value.row?.(paint) ?? [])]]
      : [],
  );
  const errors = outcomes.flatMap((outcome) =>
    "error" in outcome ? [`${placeName(outcome.place)}: ${errorText(outcome.error, paint)}`] : [],
  );
  return [table(["ACCOUNT", "REGION", ...headings], rows), ...errors].join("\n");
}

function errorText({ message, hint }: ExpectedError, paint: Paint): string {
  return paint.red(`error: ${message}${hint ? `\nhint: ${hint}` : ""}`);
}

function where({ account, accountId, region }: Place) {
  return { ...(account !== undefined && { account }), accountId, region };
}

function explained({ code, message, detail, hint }: ExpectedError) {
  return { code, message, detail, hint };
}

function exitOf(outcomes: readonly Outcome<PlaceResult>[]): ExitCode {
  const errors = outcomes.flatMap((outcome) => ("error" in outcome ? [outcome.error.exit] : []));
  const exits = outcomes.flatMap((outcome) => ("value" in outcome ? [outcome.value.exit ?? EXIT.ok] : []));
  if (errors.length > 0 && exits.length > 0) return EXIT.partial;
  if (errors.length > 0) return errors.every((exit) => exit === errors[0]) ? (errors[0] ?? 1) : EXIT.failed;
  return exits.reduce((worst, exit) => (exit > worst ? exit : worst), EXIT.ok);
}
