import pLimit from "p-limit";
import { onlyReads } from "../../agents/catalog.ts";
import { assertOwnLockStore } from "../../agents/own-store.ts";
import { type AgentRun, runAgent } from "../../agents/run.ts";
import { agentViews } from "../../agents/view.ts";
import { needLocks, openWatchers } from "../../agents/watchers.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { EXIT, type ExitCode, usageError } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { configuredIntervalMs } from "../../polling/configured.ts";
import { numberOption } from "../number-option.ts";
import { type AgentFilter, chosenAgents } from "./chosen.ts";

export interface AgentsRunOptions extends AgentFilter {
  /** False with --no-wait. */
  wait?: boolean | undefined;
  concurrency: string;
  dryRun?: boolean | undefined;
}

const TIMEOUT_MS = 120_000;
const CONCURRENCY = { least: 1, most: 100, whole: true };

interface RunResult {
  id: string;
  outcome: AgentRun["outcome"] | "asked";
  detail: string;
  durationMs: number | null;
}

/** `aec agents run`: runs agents now by their scheduler's own locks, and proves each run by introspection. */
export async function run(
  context: Context,
  pattern: string,
  options: AgentsRunOptions,
): Promise<CommandResult> {
  const limit = pLimit(numberOption("--concurrency", options.concurrency, CONCURRENCY));
  const watchers = await openWatchers(context);
  try {
    const locks = needLocks(watchers);
    await assertOwnLockStore(locks, watchers.clouddriver);
    const chosen = chosenAgents(agentViews(await watchers.see(true)), pattern, options).map(({ id }) => id);
    const agents = chosen.filter(onlyReads);
    const left = chosen.filter((id) => !onlyReads(id));
    if (left.length > 0) context.out.warn(`not run, since they may change AWS: ${left.join(", ")}`);
    if (agents.length === 0) {
      throw usageError("no-agent", "no agent that only reads was chosen", {
        hint: "aec agents list shows them all",
      });
    }
    if (options.dryRun) {
      return { data: { agents: agents.map((id) => ({ id })), dryRun: true }, text: () => agents.join("\n") };
    }
    const progress = await startProgress(context.out, `running ${agents.length} agents`);
    let done = 0;
    const { clock, signal } = context.world;
    const runner = {
      locks,
      executions: watchers.clouddriver.executions,
      clock,
      signal,
      timeoutMs: context.timeout(TIMEOUT_MS),
      intervalMs: configuredIntervalMs(context),
    };
    const results = await Promise.all(
      agents.map((id) =>
        limit(async () => {
          const result =
            options.wait === false ? await ask(id, runner) : ended(id, await runAgent(id, runner));
          done += 1;
          progress.update(`${done} of ${agents.length} agents`, done === agents.length);
          return result;
        }),
      ),
    ).finally(progress.stop);
    return {
      data: { agents: results, notRun: left },
      exit: exitOf(results),
      text: (paint) =>
        results
          .map(({ id, outcome, detail }) => {
            const good = outcome === "ran" || outcome === "asked";
            return `${(good ? paint.green : paint.red)(outcome.padEnd(9))} ${id}  ${detail}`;
          })
          .join("\n"),
    };
  } finally {
    watchers.close();
  }
}

/** Frees the agent if its lock is surely idle, and does not look whether a node takes it. */
async function ask(id: string, runner: Parameters<typeof runAgent>[1]): Promise<RunResult> {
  const outcome = await runAgent(id, { ...runner, timeoutMs: 0 });
  const asked = outcome.outcome === "timed-out" && outcome.waitingFor === "start";
  return asked ? { id, outcome: "asked", detail: "its lock is free", durationMs: null } : ended(id, outcome);
}

function ended(id: string, run: AgentRun): RunResult {
  switch (run.outcome) {
    case "ran":
      return {
        id,
        outcome: "ran",
        detail: `took ${formatDuration(run.durationMs)}`,
        durationMs: run.durationMs,
      };
    case "held":
      return { id, outcome: "held", detail: "an aec holds it: aec polling release", durationMs: null };
    case "failed":
      return {
        id,
        outcome: "failed",
        detail: "ran without success; Clouddriver's log tells why",
        durationMs: null,
      };
    case "timed-out":
      return { id, outcome: "timed-out", detail: WAITING[run.waitingFor], durationMs: null };
  }
}

const WAITING = {
  idle: "it was still busy with an earlier run, or a dead node has it: aec agents free",
  start: "no node took it: is a caching Clouddriver running, and is the lock store its own?",
  end: "it started and did not end in time",
};

function exitOf(results: readonly RunResult[]): ExitCode {
  const good = results.filter(({ outcome }) => outcome === "ran" || outcome === "asked").length;
  if (good === results.length) return EXIT.ok;
  if (good > 0) return EXIT.partial;
  return results.every(({ outcome }) => outcome === "timed-out") ? EXIT.timeout : EXIT.failed;
}
