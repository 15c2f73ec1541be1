import type { Context } from "../../context.ts";
import { parseDuration } from "../../duration.ts";
import { ExpectedError, usageError } from "../../errors.ts";
import { chooseTarget, type TargetOptions } from "../../install/choose-target.ts";
import type { Target } from "../../install/target.ts";
import type { CommandResult } from "../../output/output.ts";
import type { Paint } from "../../output/paint.ts";
import { table } from "../../output/table.ts";
import { OWN_INTERVALS } from "../../polling/own-intervals.ts";
import { configuredPolling, effectivePolling } from "../../polling/settings.ts";
import type { LivePolling } from "./live.ts";

export interface PollingGetOptions extends TargetOptions {
  /** How long to watch the agents start. */
  observe?: string | undefined;
}

/** `aec polling get`: what is configured, where, whether Clouddriver obeys it, and what it really does. */
export async function run(context: Context, options: PollingGetOptions): Promise<CommandResult> {
  const running = context.settings.clouddriver.origin !== "not set";
  const observeMs = observationOf(options.observe, running);
  const target = targetOf(context, options, running);
  const configured = target ? configuredPolling(target) : [];
  const effective = target ? effectivePolling(target) : undefined;
  const live = running ? await (await import("./live.ts")).livePolling(context, observeMs) : undefined;
  return {
    data: {
      configured,
      ...(effective && { effective }),
      notAffected: OWN_INTERVALS,
      ...(live && { agents: live.agents, holds: live.holds }),
    },
    text: (paint) =>
      [
        ...(effective ? fileLines(configured, effective, paint) : []),
        ...(live ? liveLines(live, effective?.intervalSeconds) : []),
      ].join("\n"),
  };
}

/** Throws a usage error where there is nothing to be watched. */
function observationOf(duration: string | undefined, running: boolean): number | undefined {
  if (duration === undefined) return undefined;
  if (running) return parseDuration(duration, "--observe");
  throw usageError("nothing-to-observe", "--observe watches a running Clouddriver: add --clouddriver-url");
}

/** A running Clouddriver can be looked at without any files. */
function targetOf(context: Context, options: TargetOptions, running: boolean): Target | undefined {
  try {
    return chooseTarget(context, options);
  } catch (error) {
    if (running && error instanceof ExpectedError && error.code === "no-target") return undefined;
    throw error;
  }
}

function fileLines(
  configured: ReturnType<typeof configuredPolling>,
  effective: ReturnType<typeof effectivePolling>,
  paint: Paint,
): string[] {
  return [
    `interval ${effective.intervalSeconds}s, after an error ${effective.errorIntervalSeconds}s, lock life ${effective.timeoutSeconds}s`,
    configured.length === 0
      ? "No profile sets an interval: these are Clouddriver's defaults."
      : table(
          ["KEY", "VALUE", "IN FORCE", "FILE"],
          configured.map(({ key, value, inForce, reason, file }) => [
            key,
            String(value),
            inForce ? paint.green("yes") : paint.yellow(`no: ${reason}`),
            file,
          ]),
        ),
    `not affected, with intervals of their own: ${OWN_INTERVALS.map(({ agent, interval }) => `${agent} ${interval}`).join(", ")}`,
  ];
}

/** Intervals as they were seen, against the one of the files, and who holds what. */
function liveLines({ agents, holds }: LivePolling, configuredSeconds: number | undefined): string[] {
  const seen = new Map<number, number>();
  for (const { intervalMs: inferred, observedIntervalMs } of agents) {
    // What was seen counts before what a lock promises.
    const intervalMs = observedIntervalMs ?? inferred;
    if (intervalMs === null) continue;
    const seconds = Math.round(intervalMs / 1_000);
    seen.set(seconds, (seen.get(seconds) ?? 0) + 1);
  }
  const intervals = [...seen].toSorted(([, a], [, b]) => b - a);
  const usual = intervals[0]?.[0];
  const differs =
    configuredSeconds !== undefined && usual !== undefined && Math.abs(usual - configuredSeconds) > 3;
  return [
    intervals.length === 0
      ? "in force: not known (no lock of an idle agent was seen: add --lock-store, or --observe 2m)"
      : `in force: ${intervals.map(([seconds, count]) => `${count} agents every ${seconds}s`).join(", ")}`,
    ...(differs
      ? [`the files say ${configuredSeconds}s: Clouddriver was not restarted since, or reads other files`]
      : []),
    ...holds.map(
      ({ agent, owner, until, reason }) =>
        `held  ${agent} until ${until} by ${owner}${reason ? ` (${reason})` : ""}`,
    ),
  ];
}
