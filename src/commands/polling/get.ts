import type { Context } from "../../context.ts";
import { chooseTarget, type TargetOptions } from "../../install/choose-target.ts";
import type { CommandResult } from "../../output/output.ts";
import { table } from "../../output/table.ts";
import { OWN_INTERVALS } from "../../polling/own-intervals.ts";
import { configuredPolling, effectivePolling } from "../../polling/settings.ts";

/** `aec polling get`: what is configured, where, and whether Clouddriver obeys it. */
export async function run(context: Context, options: TargetOptions): Promise<CommandResult> {
  const target = chooseTarget(context, options);
  const configured = configuredPolling(target);
  const effective = effectivePolling(target);
  return {
    data: { configured, effective, notAffected: OWN_INTERVALS },
    text: (paint) =>
      [
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
      ].join("\n"),
  };
}
