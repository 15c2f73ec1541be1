import { fileURLToPath } from "node:url";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisLocks } from "../../src/agents/stores/redis.ts";
import { aec } from "../helpers/aec.ts";
import { until } from "../helpers/site.ts";
import { ofGroup, type Told } from "./aws-messages.ts";
import { freePort, type ServerProcess, spawnServer } from "./clouddriver/process.ts";
import { type LocalStack, startLocalStack } from "./localstack.ts";
import { REGION, type RealEngine, startRealEngine } from "./real-engine.ts";

const AEC = fileURLToPath(new URL("../../bin/aec.js", import.meta.url));
const TOPIC_ACCOUNT = "012345678901";
const TOPIC = `arn:aws:sns:${REGION}:${TOPIC_ACCOUNT}:aec-default`;
const CLUSTER = `default/${REGION}/ClusterCachingAgent`;
/** The longest hold, one tick of the scheduler and one run. */
const STOCK_AGAIN_MS = 65_000;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Whatever happens to `serve`, to its store or to the events: the cache is true again, and says so. */
describe("mode events when things go wrong, on the real engine", () => {
  let engine: RealEngine;
  let localStack: LocalStack;
  let server: ServerProcess;
  let start: () => Promise<ServerProcess>;
  let made = 0;

  beforeAll(async () => {
    [engine, localStack] = await Promise.all([startRealEngine(), startLocalStack()]);
    const env = {
      PATH: process.env.PATH,
      ...localStack.env(TOPIC_ACCOUNT, REGION),
      AEC_CLOUDDRIVER_URL: engine.clouddriverUrl,
      AEC_LOCK_STORE: engine.redisUrl,
    };
    const port = await freePort();
    const argv = ["--listen", `127.0.0.1:${port}`, "--admin-listen", "off", "--topic-arn", TOPIC];
    start = async () => {
      const begun = await spawnServer(
        process.execPath,
        [AEC, "serve", "--mode", "events", "--heartbeat", "10s", ...argv],
        { env },
      );
      await until(() => begun.output().includes('"notify"'), "serve to be ready", 30_000);
      return begun;
    };
    server = await start();
    const endpoint = `http://127.0.0.1:${port}/aws/notify`;
    const created = await aec(["sns", "create", "--endpoint", endpoint, "--yes"], { env });
    expect(created.exit, created.stderr).toBe(0);
  });
  afterAll(async () => {
    await server?.stop();
    await Promise.all([engine?.stop(), localStack?.stop()]);
  });

  const publish = ({ message }: Told) =>
    new SNSClient({
      endpoint: localStack.url,
      region: REGION,
      credentials: { accessKeyId: TOPIC_ACCOUNT, secretAccessKey: "test" },
    }).send(new PublishCommand({ TopicArn: TOPIC, Message: JSON.stringify(message) }));
  const group = async () => {
    made += 1;
    const name = `faults-main-v${String(made).padStart(3, "0")}`;
    await engine.group(name, 0);
    return name;
  };
  const told = async () => {
    const name = await group();
    await publish(ofGroup(REGION, "EC2 Instance-launch Lifecycle Action", name));
    return name;
  };
  const cached = async (name: string) =>
    (await fetch(`${engine.clouddriverUrl}/serverGroups/default/${REGION}/${name}`)).status === 200;
  const isHeld = async () => {
    const locks = openRedisLocks(engine.redisUrl);
    try {
      return (await locks.lock(CLUSTER)).held;
    } finally {
      locks.close();
    }
  };
  /** Events prove themselves, and the cluster agent is held. */
  const prove = async () => {
    for (let index = 0; index < 6; index += 1) {
      const name = await told();
      await until(() => cached(name), name, 30_000);
    }
    await until(isHeld, "the hold", 60_000);
  };

  test("serve is killed: stock polling is back within a minute", async () => {
    await prove();
    await server.kill();
    const killed = Date.now();
    const name = await group();
    await until(() => cached(name), "what no event told of", STOCK_AGAIN_MS);
    const started = engine.proxy.calls().filter(({ at }) => at >= killed);
    // All that was held does not run in the same second.
    const busiest = Math.max(
      ...started.map(({ at }) => started.filter((one) => one.at >= at && one.at < at + 1_000).length),
    );
    expect(busiest).toBeLessThan(started.length);
    server = await start();
  });

  test("it is killed and starts again at once: what happened in between is there within seconds", async () => {
    await prove();
    await pause(62_000);
    expect(await isHeld()).toBe(true);
    await server.kill();
    const name = await group();
    server = await start();
    await until(() => cached(name), "what no event told of", 15_000);
  });

  test("events that come twice, late and out of order end in the truth", async () => {
    const name = await group();
    const launch = ofGroup(REGION, "EC2 Instance-launch Lifecycle Action", name);
    await Promise.all([publish(launch), publish(launch)]);
    await until(() => cached(name), name, 30_000);
    await engine.removeGroup(name);
    await publish(ofGroup(REGION, "EC2 Instance Terminate Successful", name));
    await pause(3_000);
    await publish(launch);
    await until(async () => !(await cached(name)), "its end", 30_000);
  });

  test("no event comes any more: it is noticed, the holds end, and the cache is true again", async () => {
    await prove();
    await localStack.stop();
    const name = await group();
    await until(() => cached(name), "what no event told of", 30_000 + STOCK_AGAIN_MS);
    await until(() => server.output().includes("no heartbeat for"), "the message", 60_000);
    await until(async () => !(await isHeld()), "the end of the hold", 15_000);
  });
});
