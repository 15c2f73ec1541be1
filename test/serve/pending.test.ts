import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { AgentRun } from "../../src/agents/run.ts";
import type { OnDemandKind, PendingRefresh } from "../../src/clouddriver/client.ts";
import { watchPending } from "../../src/serve/holding/pending.ts";
import { manualClock } from "../helpers/manual-clock.ts";

/** Pending records of server groups, and the runs that they cause. */
function watched(outcomes: AgentRun[]) {
  const clock = manualClock();
  const stopper = new AbortController();
  const records: PendingRefresh[] = [];
  const runs: string[] = [];
  const looked: string[] = [];
  const watching = watchPending({
    leads: () => true,
    clouddriver: { pending: async (kind: OnDemandKind) => (kind === "aws/ServerGroup" ? [...records] : []) },
    run: async (agent) => {
      runs.push(agent);
      return outcomes.shift() ?? { outcome: "ran", startedMs: 0, durationMs: 0 };
    },
    health: {
      watch: ({ account, region }, name) => void looked.push(`${account}/${region}/${name}`),
      include: () => {},
      watched: () => [],
      isBusy: () => false,
    },
    clock,
    signal: stopper.signal,
    log: pino({ enabled: false }),
  });
  onTestFinished(async () => {
    stopper.abort();
    await watching;
  });
  const ask = (serverGroup: string, more: Partial<PendingRefresh> = {}) =>
    void records.push({
      id: serverGroup,
      details: { account: "prod", region: "us-east-1", serverGroup },
      cacheTime: clock.now(),
      processedCount: 0,
      ...more,
    });
  return { clock, records, runs, looked, ask };
}
const CLUSTER = "prod/us-east-1/ClusterCachingAgent";

test("one run for all that is asked for at once in a Region, none for what is processed", async () => {
  const { clock, runs, looked, ask } = watched([]);
  await clock.advance(1);
  ask("web-v001");
  ask("web-v002");
  ask("web-v003", { processedCount: 1 });
  await clock.advance(1_000);
  expect([runs, looked]).toEqual([[CLUSTER], ["prod/us-east-1/web-v001", "prod/us-east-1/web-v002"]]);
  await clock.advance(10_000);
  expect(runs).toHaveLength(1);
});

test("a pass that fails is made again as long as somebody waits for it, and not after", async () => {
  const { clock, records, runs, ask } = watched([{ outcome: "failed" }, { outcome: "held" }]);
  await clock.advance(1);
  ask("web-v001");
  await clock.advance(1_000);
  expect(runs).toHaveLength(1);
  await clock.advance(7_000);
  expect(runs).toHaveLength(2);
  await clock.advance(7_000);
  expect(runs).toHaveLength(3);
  await clock.advance(20_000);
  expect(runs).toHaveLength(3);
  records.length = 0;
  await clock.advance(20_000);
  expect(runs).toHaveLength(3);
});
