import type { LockStore } from "../agents/stores/store.ts";
import { type AgentState, type AgentView, agentViews } from "../agents/view.ts";
import { openWatchers, type Watchers } from "../agents/watchers.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { type Check, failed, ok, skipped } from "./check.ts";

/** SNS's messages are refused outside of a window of an hour; a few seconds already blur what began before what. */
const MAX_SKEW_MS = 10_000;

/** What Clouddriver's caching agents do: whether all run, by which scheduler, and by which clock. */
export async function checkAgents(context: Context): Promise<Check[]> {
  const { settings, world } = context;
  if (settings.clouddriver.origin === "not set")
    return [skipped("agents", "no Clouddriver is named", "--clouddriver-url, or clouddriver in aec.yml")];
  let watchers: Watchers | undefined;
  try {
    watchers = await openWatchers(context);
    const { locks, clouddriver, see } = watchers;
    const asked = world.clock.now();
    const [sighting, { serverTime }] = await Promise.all([see(true), clouddriver.executions()]);
    return [
      ...(locks ? [await scheduler(locks)] : []),
      agents(agentViews(sighting), locks !== undefined),
      clock(serverTime, asked),
    ];
  } catch (error) {
    return [failed("agents", error)];
  } finally {
    watchers?.close();
  }
}

async function scheduler(locks: LockStore): Promise<Check> {
  const id = "scheduler";
  const other = await locks.otherScheduler();
  if (other === undefined) return ok(id, "the lock store is that of Clouddriver's scheduler");
  return {
    id,
    result: "failure",
    reason: `Clouddriver's ${other} scheduler is on: aec can neither run nor hold its agents`,
    fix: "leave redis.scheduler at default and cats.pubsub.enabled at false",
  };
}

const WRONG: Readonly<Partial<Record<AgentState, { severity: Check["result"]; fix: string }>>> = {
  blocked: { severity: "failure", fix: "aec agents free frees them from the node that is gone" },
  stuck: { severity: "failure", fix: "Clouddriver's log tells what they wait for; its restart ends them" },
  failing: { severity: "warning", fix: "Clouddriver's log tells what AWS answered: permissions, throttling" },
  late: { severity: "warning", fix: "aec agents list --sort last-start" },
  "never-ran": { severity: "warning", fix: "Clouddriver's log tells what AWS answered" },
};

function agents(views: readonly AgentView[], withLocks: boolean): Check {
  const id = "agents";
  if (views.every(({ lastStart }) => lastStart === null)) {
    // The locks are those of all roles; introspection is of the one that is asked, and knows successes alone.
    const locked = views.length > 0;
    return {
      id,
      result: "failure",
      reason: locked
        ? "agents have locks, and none has succeeded on this Clouddriver"
        : "this Clouddriver runs no caching agent",
      fix: `name its caching role: --clouddriver-url caching=http://spin-clouddriver-caching:7002${locked ? "; where it is that, its log tells what AWS answered" : ""}`,
    };
  }
  for (const state of Object.keys(WRONG) as AgentState[]) {
    const found = views.filter((view) => view.state === state);
    const wrong = WRONG[state];
    if (found.length === 0 || !wrong) continue;
    const names = found.map((view) => view.id);
    return {
      id,
      result: wrong.severity,
      reason: `${found.length} of ${views.length} agents: ${state}`,
      evidence: names.slice(0, 10).join("\n"),
      fix: wrong.fix,
      ...(state === "blocked" && { repair: { command: "agents free" } }),
    };
  }
  return ok(
    id,
    `${views.length} agents run${withLocks ? "" : "; without a lock store their locks are not seen"}`,
  );
}

function clock(serverTime: number | undefined, asked: number): Check {
  const id = "clock";
  if (serverTime === undefined) return skipped(id, "Clouddriver does not tell its time");
  const skewMs = Math.abs(serverTime - 500 - asked);
  if (skewMs <= MAX_SKEW_MS) return ok(id, "the clocks of Clouddriver and of this machine agree");
  return {
    id,
    result: "warning",
    reason: `Clouddriver's clock and this machine's are ${formatDuration(skewMs)} apart`,
    fix: "let NTP set both: what began before what is told by them",
  };
}
