import type { Context } from "../context.ts";
import { type DemoReport, playDemo } from "../demo/story.ts";
import type { CommandResult } from "../output/output.ts";
import { table } from "../output/table.ts";

/** `aec demo`: the whole story on the embedded sandbox; no account, no network, nothing left behind. */
export async function run(context: Context): Promise<CommandResult> {
  const report = await playDemo(context);
  return { data: report, text: () => summary(report) };
}

/**
 * Sample:
 *            CHANGE → VISIBLE, P50  P95     AWS CALLS
 * polling    17.8 s                 30.9 s  300
 * events     1.4 s                  2.1 s   60
 */
function summary({ latencyMs, awsCalls, speed, windowMs }: DemoReport): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const row = (name: string, via: "events" | "polling") => [
    name,
    seconds(latencyMs[via].p50),
    seconds(latencyMs[via].p95),
    String(awsCalls[via]),
  ];
  return [
    table(
      ["", "CHANGE → VISIBLE, P50", "P95", `AWS CALLS IN ${windowMs / 1_000} S`],
      [row("stock polling, every 30 s", "polling"), row("aec serve, polling every 300 s", "events")],
    ),
    "",
    `Simulated: one account, one Region, a small inventory, on a clock ${speed} × as fast as life.`,
    "AWS's own delay of events is not in these figures: AWS Config adds up to minutes, EventBridge about a second.",
  ].join("\n");
}
