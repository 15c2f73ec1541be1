import type { Clock } from "../clock.ts";
import { failure } from "../errors.ts";
import { autoScalingGroup } from "../sandbox/aws/inventory.ts";
import type { Site } from "../sandbox/site.ts";
import { REGION } from "./changes.ts";

/** What the second act shows; times are sandbox time. */
export interface RunOnEventReport {
  /** Runs of the cluster agent while nothing changed, in so long. */
  quiet: { ms: number; runs: number };
  burst: { changes: number; runs: number; visibleAfterMs: number };
}

interface Stage {
  site: Site;
  clock: Clock;
  signal: AbortSignal;
  step(name: string, ok: boolean, detail: string): void;
  say(text: string): void;
}

const PROOF = 5;
const QUIET_MS = 65_000;
const BURST = 100;
const LIMIT_MS = 120_000;

/** A Spinnaker that polls every 30 s is left to its events; then a hundred changes come at once. */
export async function playRunOnEvent({ site, clock, signal, step, say }: Stage): Promise<RunOnEventReport> {
  const { aws, clouddriver, redis, account } = site;
  const agent = `${account}/${REGION}/ClusterCachingAgent`;
  const runs = () => clouddriver.runs.filter((run) => run.agent === agent).length;
  const shows = (name: string, desired: number) =>
    clouddriver.cache.get("auto-scaling-group", account, REGION, name)?.desired === desired;
  const put = (name: string, desired: number) =>
    aws.inventory.put("auto-scaling-group", REGION, autoScalingGroup(name, desired));
  const until = async (condition: () => boolean, what: string) => {
    for (const end = clock.now() + LIMIT_MS; !condition(); await clock.sleep(200, signal))
      if (clock.now() > end) throw failure("demo-failed", `the demo waited too long for ${what}`);
  };

  for (let count = 1; count <= PROOF; count += 1) {
    put("shop-api-v001", count);
    await until(() => shows("shop-api-v001", count), "a group");
  }
  await until(() => redis.keyspace.get(agent)?.startsWith("aec:") ?? false, "the hold");
  // The last of its runs may still be stored.
  await clock.sleep(2_000, signal);
  const before = runs();
  await clock.sleep(QUIET_MS, signal);
  const quiet = { ms: QUIET_MS, runs: runs() - before };
  step(
    "run on event",
    // A machine that stalls for a second lets a hold end, which is renewed every minute of sandbox time.
    quiet.runs <= 1,
    `${PROOF} events came fast: the cluster agent is left to them, and ran ${quiet.runs} times in ${QUIET_MS / 1_000} s (stock polling: twice)`,
  );

  say(`${BURST} groups are made at once…`);
  const since = clock.now();
  const runsBefore = runs();
  const names = Array.from({ length: BURST }, (_, index) => `burst-v${String(index).padStart(3, "0")}`);
  for (const name of names) put(name, 1);
  await until(() => names.every((name) => shows(name, 1)), "the burst");
  const visibleAfterMs = Math.round(clock.now() - since);
  await clock.sleep(5_000, signal);
  const burst = { changes: BURST, runs: runs() - runsBefore, visibleAfterMs };
  step(
    "burst",
    burst.runs < 10,
    `all ${BURST} are in the cache after ${(visibleAfterMs / 1_000).toFixed(1)} s, by ${burst.runs} runs of their agent`,
  );
  return { quiet, burst };
}
