import { type Place, type PlaceOptions, placesOf } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { checkAgents } from "../doctor/agents.ts";
import { checkChain } from "../doctor/chain.ts";
import { type Check, failed, ok } from "../doctor/check.ts";
import { checkFiles } from "../doctor/files.ts";
import { checkPlace } from "../doctor/place.ts";
import { checkServices } from "../doctor/services.ts";
import { EXIT } from "../errors.ts";
import type { TargetOptions } from "../install/choose-target.ts";
import type { CommandResult } from "../output/output.ts";
import type { Paint } from "../output/paint.ts";
import type { Fixed } from "./doctor-fix.ts";
import { everyRuleName } from "./events/options.ts";
import { type SnsOptions, topicOf, wantedTopology } from "./sns/options.ts";

export interface DoctorOptions
  extends PlaceOptions,
    TargetOptions,
    Pick<SnsOptions, "topicName" | "protocol"> {
  /** Also sends a message through the whole chain. */
  synthetic?: boolean | undefined;
  /** Mends what can be mended without losing anything, and looks again. */
  fix?: boolean | undefined;
}

/**
 * `aec doctor`: looks at everything, and changes nothing without --fix (--synthetic publishes a message that asks for
 * nothing); exit 1 where something fails.
 */
export async function run(context: Context, options: DoctorOptions): Promise<CommandResult> {
  let checks = await look(context, options);
  let fixed: Fixed[] = [];
  if (options.fix) {
    const { fixChecks } = await import("./doctor-fix.ts");
    fixed = await fixChecks(context, checks, options);
    if (fixed.length > 0) checks = await look(context, options);
  }
  // What is looked at later may fail because of what was looked at before.
  const first =
    checks.find(({ result }) => result === "failure") ?? checks.find(({ result }) => result === "warning");
  const fails = first?.result === "failure" || fixed.some(({ problem }) => problem !== null);
  return {
    data: { checks, first: first?.id ?? null, ...(options.fix && { fixed }) },
    exit: fails ? EXIT.failed : EXIT.ok,
    text: (paint) =>
      [
        ...fixed.map(({ command, problem }) =>
          problem === null ? `ran ${command}` : `${command} could not: ${problem}`,
        ),
        ...checks.map((check) => line(check, paint)),
        summary(checks),
        ...(first ? [`begin with ${first.id}: ${first.reason}`] : []),
      ].join("\n"),
  };
}

async function look(context: Context, options: DoctorOptions): Promise<Check[]> {
  const looked = await Promise.all([
    checkAws(context, options),
    checkServices(context),
    checkAgents(context),
  ]);
  return [...looked.flat(), ...checkFiles(context, options)];
}

async function checkAws(context: Context, options: DoctorOptions): Promise<Check[]> {
  let places: Place[];
  try {
    places = await placesOf(context, options);
  } catch (error) {
    return [failed("identity", error)];
  }
  const wantedIn = wantedTopology(context, options);
  const rules = everyRuleName(context, options);
  const accounts = [...new Set(places.map(({ accountId }) => accountId))].join(", ");
  const looked = await Promise.all(
    places.map(async (place) => [
      ...(await checkPlace(context, place, wantedIn(place), rules)),
      ...(options.synthetic ? await checkChain(context, place, topicOf(context, options)) : []),
    ]),
  );
  return [ok("identity", `the credentials work in ${accounts}`), ...looked.flat()];
}

function line({ id, result, reason, evidence, fix, accountId, region }: Check, paint: Paint): string {
  const mark = {
    ok: paint.green("ok     "),
    warning: paint.yellow("warning"),
    failure: paint.red("failure"),
    skipped: paint.dim("skipped"),
  }[result];
  const where = region === undefined ? "" : ` (${accountId}, ${region})`;
  const more = result === "ok" ? [] : [evidence, fix && `→ ${fix}`];
  return [`${mark} ${id}${where}: ${reason}`, ...more.filter(Boolean).map((text) => `        ${text}`)].join(
    "\n",
  );
}

function summary(checks: readonly Check[]): string {
  const count = (result: Check["result"]) => checks.filter((check) => check.result === result).length;
  return `${count("ok")} ok, ${count("warning")} warnings, ${count("failure")} failures, ${count("skipped")} skipped`;
}
