import pLimit from "p-limit";
import { agentRounds, agentsOf } from "../agents/kinds.ts";
import { type AgentRun, runAgent } from "../agents/run.ts";
import { createDebounce } from "../debounce.ts";
import type { WorkItem } from "./items.ts";
import { oldRecords } from "./old-records.ts";
import { readBack } from "./read-back.ts";
import { type Attempt, DONE, type ItemResult, proven, type Refresher } from "./refresh.ts";

/** Runs the agents of the items, one run for all items of an agent, and proves each item by itself. */
export async function refreshByAgents(
  items: readonly WorkItem[],
  refresher: Refresher,
  report: (result: ItemResult) => void,
): Promise<ItemResult[]> {
  const { clouddriver, locks, clock, signal } = refresher;
  if (!locks) throw new Error("agent runs need a lock store");
  const runner = { ...refresher, locks, executions: clouddriver.executions };
  const limit = pLimit(refresher.concurrency ?? Number.POSITIVE_INFINITY);
  const run = refresher.run ?? ((agent: string) => runAgent(agent, runner));
  const runLimited = (agent: string) => limit(() => run(agent));
  const missing = await missingAgents([...new Set(items.flatMap(agentsOf))], refresher);

  // The first run of an agent begins when all items have been read, and serves them all; a second one those that wait.
  const firstRuns = new Map<string, Promise<AgentRun>>();
  const again = createDebounce<AgentRun>(clock, 0, signal);
  const runFor = (agent: string, first: boolean): Promise<AgentRun> => {
    if (!first) return again(agent, () => runLimited(agent));
    const running = firstRuns.get(agent) ?? runLimited(agent);
    firstRuns.set(agent, running);
    return running;
  };
  const old = await oldRecords(items, clouddriver);
  const attempt = async (item: WorkItem, tries: number): Promise<Attempt> => {
    const rounds = agentRounds(item);
    // The first pass takes an unprocessed record for the truth, the second one drops it.
    const passes = tries === 1 && old.has(item) ? [...rounds, ...rounds] : rounds;
    for (const [index, round] of passes.entries()) {
      const outcomes = await Promise.all(
        round.map(async (agent) =>
          missing.has(agent)
            ? NO_AGENT(agent)
            : attemptOf(agent, await runFor(agent, tries === 1 && index < rounds.length)),
        ),
      );
      const failed = outcomes.find(({ done }) => !done);
      if (failed) return failed;
    }
    return DONE;
  };

  const before = items.map((item) => readBack(clouddriver, item));
  await Promise.allSettled(before);
  return Promise.all(
    items.map(async (item, index) => {
      const result = await proven(item, "agents", refresher, (tries) => attempt(item, tries), {
        first: before[index],
      });
      report(result);
      return result;
    }),
  );
}

/** A due agent has no lock for a second, and one that never succeeded is unknown to introspection. */
const LOOK_FOR_MS = 2_500;
const LOOK_POLL_MS = 500;

/** Agents of which neither introspection nor a lock knows anything: Clouddriver does not have them. */
async function missingAgents(agents: readonly string[], refresher: Refresher): Promise<Set<string>> {
  const { clouddriver, locks, clock } = refresher;
  const { byAgent } = await clouddriver.executions();
  let missing = agents.filter((agent) => !byAgent.has(agent));
  for (const end = clock.now() + LOOK_FOR_MS; missing.length > 0; ) {
    const locked = await locks?.locksOf(missing);
    missing = missing.filter((agent) => !locked?.has(agent));
    if (clock.now() >= end) break;
    if (missing.length > 0) await clock.sleep(LOOK_POLL_MS, refresher.signal);
  }
  return new Set(missing);
}

const NO_AGENT = (agent: string): Attempt => ({
  done: false,
  verdict: "not-handled",
  detail: `Clouddriver has no agent ${agent}: is that switched on for the account?`,
});

function attemptOf(agent: string, run: AgentRun): Attempt {
  switch (run.outcome) {
    case "ran":
      return DONE;
    case "held":
      return { done: false, verdict: "failed", detail: `${agent} is held by another aec` };
    case "failed":
      return {
        done: false,
        verdict: "failed",
        detail: `${agent} ran without success; Clouddriver's log tells why`,
      };
    case "timed-out":
      return { done: false, verdict: "stale", detail: TIMEOUTS[run.waitingFor](agent) };
  }
}

const TIMEOUTS = {
  idle: (agent: string) => `${agent} was still busy with an earlier run`,
  start: (agent: string) =>
    `no node took ${agent}: is a caching Clouddriver running, and is the lock store its own?`,
  end: (agent: string) => `${agent} started and did not end in time`,
};
