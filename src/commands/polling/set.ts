import type { Context } from "../../context.ts";
import { parseDuration } from "../../duration.ts";
import { usageError } from "../../errors.ts";
import { type ApplyOptions, applyPlan } from "../../install/apply.ts";
import { buildCheck } from "../../install/build.ts";
import { chooseTarget, type TargetOptions } from "../../install/choose-target.ts";
import type { CommandResult } from "../../output/output.ts";
import {
  effectivePolling,
  type PollingSettings,
  PRESETS,
  type Preset,
  planPolling,
} from "../../polling/settings.ts";

export interface PollingSetOptions extends TargetOptions, ApplyOptions {
  preset?: Preset | undefined;
  interval?: string | undefined;
  errorInterval?: string | undefined;
  agentTimeout?: string | undefined;
  /** In force within seconds, kept by a running `serve`; nothing is written. */
  live?: boolean | undefined;
  agents: string;
  for?: string | undefined;
  reason?: string | undefined;
}

/** How much longer than the interval an agent's lock has to live, seconds. */
const TIMEOUT_MARGIN_SECONDS = 60;

/** `aec polling set`: writes the intervals where Clouddriver really reads them, or has them kept live by `serve`. */
export async function run(context: Context, options: PollingSetOptions): Promise<CommandResult> {
  if (options.live) return live(context, options);
  const target = chooseTarget(context, options);
  const wanted: Partial<PollingSettings> = {
    ...(options.preset && PRESETS[options.preset]),
    ...given("intervalSeconds", options.interval ?? configuredInterval(context, options), "--interval"),
    ...given("errorIntervalSeconds", options.errorInterval, "--error-interval"),
    ...given("timeoutSeconds", options.agentTimeout, "--agent-timeout"),
  };
  if (Object.keys(wanted).length === 0) {
    throw usageError("nothing-to-set", "nothing to set", {
      hint: "give --interval 120s, --error-interval or --agent-timeout, or set polling.interval in aec.yml",
    });
  }
  checkTimeout({ ...effectivePolling(target), ...wanted });
  const plan = planPolling(target, wanted);
  return applyPlan(
    context,
    plan,
    {
      target: target.label,
      purpose: "polling",
      question: `Write these intervals to ${target.directory}?`,
      rollout: target.rollout({ gate: false, cachingOnly: true }),
      proof: [],
      settled: "The intervals are set as wanted: nothing to change.",
      ...(!options.dryRun && (await buildCheck(context, target, plan))),
    },
    options,
  );
}

async function live(context: Context, options: PollingSetOptions): Promise<CommandResult> {
  if (options.preset || options.errorInterval || options.agentTimeout) {
    throw usageError("not-live", "only --interval can be changed live", {
      hint: "presets, --error-interval and --agent-timeout are written into a target's files",
    });
  }
  if (options.interval === undefined) {
    throw usageError("no-interval", "--live needs an interval", { hint: "add --interval 5m" });
  }
  const { wish } = await import("./wish.ts");
  return wish(context, options.agents, parseDuration(options.interval, "--interval"), options);
}

/** Without any flag it is the interval of `aec.yml` that is persisted. */
function configuredInterval({ settings }: Context, options: PollingSetOptions): string | undefined {
  const none =
    options.preset === undefined && options.errorInterval === undefined && options.agentTimeout === undefined;
  return none ? settings.section.polling?.interval : undefined;
}

function given(key: keyof PollingSettings, text: string | undefined, flag: string): Partial<PollingSettings> {
  if (text === undefined) return {};
  const seconds = parseDuration(text, flag) / 1_000;
  if (!Number.isInteger(seconds) || seconds < 1) {
    throw usageError("bad-duration", `${flag}: Clouddriver takes whole seconds, not ${text}`);
  }
  return { [key]: seconds };
}

function checkTimeout({ intervalSeconds, timeoutSeconds }: PollingSettings): void {
  if (timeoutSeconds >= intervalSeconds + TIMEOUT_MARGIN_SECONDS) return;
  throw usageError(
    "timeout-too-short",
    `a lock life of ${timeoutSeconds} s is too short for an interval of ${intervalSeconds} s`,
    { hint: `add --agent-timeout ${intervalSeconds + TIMEOUT_MARGIN_SECONDS}s or more` },
  );
}
