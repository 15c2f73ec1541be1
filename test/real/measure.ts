import { expect, test } from "vitest";
import { RESOURCE_TYPES } from "../../src/agents/kinds.ts";
import { openRedisLocks } from "../../src/agents/stores/redis.ts";
import { percentile } from "../../src/percentile.ts";
import { aec } from "../helpers/aec.ts";
import { type RealEngine, startRealEngine } from "./real-engine.ts";

const RUNS = 40;
const HOLDS = 10;
/** Long enough for nothing but what is measured to call AWS for a while. */
const INTERVAL_SECONDS = 200;
const GROUPS = 20;

test("measures", async () => {
  const engine = await startRealEngine({ properties: { "redis.poll.intervalSeconds": INTERVAL_SECONDS } });
  try {
    for (let index = 0; index < GROUPS; index += 1) await engine.group(`measure-main-v0${index + 10}`, 1);
    await runNow(engine);
    await holds(engine);
    await calls(engine);
  } finally {
    await engine.stop();
  }
});

const env = ({ clouddriverUrl, redisUrl }: RealEngine) => ({
  AEC_CLOUDDRIVER_URL: clouddriverUrl,
  AEC_LOCK_STORE: redisUrl,
});

async function lastStart({ clouddriverUrl }: RealEngine, agent: string): Promise<number> {
  const all = (await (await fetch(`${clouddriverUrl}/cache/introspection`)).json()) as {
    id: string;
    lastExecutionStartMs: number;
  }[];
  return all.find(({ id }) => id === agent)?.lastExecutionStartMs ?? 0;
}

async function runNow(engine: RealEngine): Promise<void> {
  const agent = `${engine.account}/${engine.region}/ClusterCachingAgent`;
  const starts: number[] = [];
  const proofs: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    // The scheduler looks once a second: not always at the same moment of it.
    await engine.clock.sleep(2_500 + run * 37);
    const asked = Date.now();
    const { exit, stdout } = await aec(["agents", "run", agent, "-o", "json"], { env: env(engine) });
    expect(exit, stdout).toBe(0);
    proofs.push(Date.now() - asked);
    starts.push((await lastStart(engine, agent)) - asked);
  }
  console.log(
    `run now, ${RUNS} times: started after p50 ${percentile(starts, 0.5)} ms, p95 ${percentile(starts, 0.95)} ms; ` +
      `stored and proven after p50 ${percentile(proofs, 0.5)} ms, p95 ${percentile(proofs, 0.95)} ms`,
  );
}

async function holds(engine: RealEngine): Promise<void> {
  const agent = `${engine.account}/${engine.region}/AmazonVpcCachingAgent`;
  const locks = openRedisLocks(engine.redisUrl);
  const late: number[] = [];
  try {
    for (let hold = 0; hold < HOLDS; hold += 1) {
      const { exit, stdout } = await aec(["agents", "run", agent, "-o", "json"], { env: env(engine) });
      expect(exit, stdout).toBe(0);
      const before = await lastStart(engine, agent);
      const lifeMs = 6_000 + hold * 130;
      expect(await locks.hold(agent, "aec:measure", lifeMs, INTERVAL_SECONDS * 1_000)).toBe("set");
      const end = Date.now() + lifeMs;
      let start = before;
      while (start === before) {
        await engine.clock.sleep(100);
        start = await lastStart(engine, agent);
      }
      late.push(start - end);
    }
  } finally {
    locks.close();
  }
  console.log(
    `holds, ${HOLDS} times: the agent ran ${percentile(late, 0.5)} ms after the end (p50), at least ${Math.min(...late)}, at most ${Math.max(...late)} ms`,
  );
}

async function calls(engine: RealEngine): Promise<void> {
  const lines: string[] = [];
  for (const type of RESOURCE_TYPES) {
    engine.proxy.reset();
    const argv = ["refresh", "--account", engine.account, "--region", engine.region, "--type", type];
    const { exit } = await aec([...argv, "-o", "json"], { env: env(engine) });
    if (exit !== 0) continue;
    const counts = Object.entries(engine.proxy.counts()).map(([action, count]) => `${count} ${action}`);
    lines.push(`${type}: ${engine.proxy.calls().length} (${counts.join(", ")})`);
  }
  console.log(`AWS calls of one refresh, with ${GROUPS} Auto Scaling groups:\n${lines.join("\n")}`);
}
