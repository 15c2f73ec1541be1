import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { openLockStore } from "../../src/agents/stores/open.ts";
import { autoScalingGroup } from "../../src/sandbox/aws/inventory.ts";
import { createLeases } from "../../src/serve/leases.ts";
import { REGION, type Serving, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const QUEUE = `arn:aws:sqs:${REGION}:012345678901:aec-default-events`;
const WINDOW_MS = 2_000;

/** So many replicas on one queue; a queue's messages are spread over them. */
async function replicated(count: number) {
  const site = await testSite({ intervalMs: 280_000, runMs: 400 });
  const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
  const { topicArn, queueUrl } = created.json<{ topicArn: string; queueUrl: string }>();
  site.aws.config.enable(REGION, topicArn);
  const replicas = await Promise.all(
    Array.from({ length: count }, () => serve(site, ["--queue-url", queueUrl])),
  );
  const left = () => site.aws.sqs.queues.get(QUEUE)?.messages.length;
  return { site, replicas, left };
}
const cached = (site: TestSite, name: string) =>
  site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, name);
const clusterRuns = (site: TestSite, from: number) =>
  site.clouddriver.runs.slice(from).filter(({ agent }) => agent.endsWith("/ClusterCachingAgent"));
const change = (site: TestSite, name: string, desired: number) =>
  site.aws.inventory.put("auto-scaling-group", REGION, autoScalingGroup(name, desired));

describe.each([2, 4])("%i replicas on one queue", (count) => {
  test("one run per agent and window, never two at a time, and nothing is left out", async () => {
    const { site, replicas, left } = await replicated(count);
    const appliedBy = (replica: Serving) =>
      replica.log().filter(({ outcome }) => outcome === "applied").length;
    const stopOne = async () => {
      await until(() => replicas.some((replica) => appliedBy(replica) > 0), "the first answer");
      await replicas.toSorted((a, b) => appliedBy(b) - appliedBy(a))[0]?.stop();
    };
    const from = site.clouddriver.runs.length;
    const started = site.clock.now();
    for (let index = 0; index < 80; index += 1) {
      change(site, `app-v${index % 10}`, 1 + (index % 5));
      await site.clock.sleep(250);
      // What it has taken and not settled comes again when its time in the queue is over.
      if (index === 20) await stopOne();
    }
    const changing = site.clock.now() - started;
    const runs = clusterRuns(site, from).length;
    await until(() => left() === 0, "every message to be answered");
    for (let index = 70; index < 80; index += 1)
      expect(cached(site, `app-v${index % 10}`)?.desired).toBe(1 + (index % 5));
    // Two more: for the window that was cut short, and for the replica that went.
    expect(runs).toBeLessThanOrEqual(changing / WINDOW_MS + 2);
    const applied = replicas.map(appliedBy);
    expect(applied.filter((number) => number > 0).length, String(applied)).toBeGreaterThan(1);
    const keys = [...site.redis.keyspace.keys()].filter((key) => key.startsWith("aec:lease"));
    expect(keys).toEqual([]);
  });
});

test("a replica that dies with the lease keeps the others waiting for its life only", async () => {
  const { site, left } = await replicated(2);
  const agent = `prod/${REGION}/ClusterCachingAgent`;
  // As a replica leaves it that was killed in the middle of a run.
  site.redis.keyspace.set(`aec:lease/${agent}`, "aec:dead/1", { px: 15_000 });
  const started = site.clock.now();
  change(site, "app-v001", 1);
  await until(() => cached(site, "app-v001") !== undefined, "the group");
  expect(site.clock.now() - started).toBeGreaterThanOrEqual(14_000);
  await until(() => left() === 0, "the answer");
});

test("without the state store each replica works by itself, and says so", async () => {
  const site = await testSite({ intervalMs: 280_000 });
  const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
  const { topicArn, queueUrl } = created.json<{ topicArn: string; queueUrl: string }>();
  site.aws.config.enable(REGION, topicArn);
  const serving = await serve(site, ["--queue-url", queueUrl, "--state-store", "redis://127.0.0.1:9"]);
  change(site, "app-v001", 1);
  await until(() => cached(site, "app-v001") !== undefined, "the group");
  expect(serving.log().some(({ msg }) => String(msg).startsWith("replicas cannot agree"))).toBe(true);
  const refused = await site.aec([
    "serve",
    "--state-store",
    "mysql://h/d",
    "--listen",
    "127.0.0.1:0",
    "-o",
    "json",
  ]);
  expect([refused.exit, refused.json()]).toMatchObject([2, { error: { code: "bad-state-store" } }]);
});

test("one replica leads; another one follows when it stops, and all do while they cannot agree", async () => {
  const site = await testSite();
  const locks = await openLockStore(site.env.AEC_LOCK_STORE ?? "");
  onTestFinished(() => locks.close());
  const log = pino({ enabled: false });
  const replica = () => {
    const stopper = new AbortController();
    const leases = createLeases(locks, site.clock, stopper.signal, log);
    const leading = leases.lead();
    onTestFinished(async () => {
      stopper.abort();
      await leading;
    });
    return { leases, stopper };
  };
  const first = replica();
  await until(() => first.leases.leads(), "the first to lead");
  const second = replica();
  await site.clock.sleep(20_000);
  expect([first.leases.leads(), second.leases.leads()]).toEqual([true, false]);
  first.stopper.abort();
  await until(() => second.leases.leads(), "the second to lead");
  const third = replica();
  await site.redis.close();
  await until(() => third.leases.leads(), "the third to work by itself");
});
