import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";
import { aec } from "../helpers/aec.ts";
import { startAwsProxy } from "./clouddriver/aws-proxy.ts";
import { type Engine, type EngineOptions, startEngine } from "./clouddriver/engine.ts";
import { startMoto } from "./clouddriver/moto.ts";
import { type ServerProcess, spawnServer } from "./clouddriver/process.ts";
import { startRedis } from "./clouddriver/redis.ts";
import { openDoor } from "./door.ts";
import { heldAgents } from "./holds.ts";
import { startLocalStack } from "./localstack.ts";
import { motoInventory } from "./moto-inventory.ts";
import { MOTO_ACCOUNT, REGION } from "./real-engine.ts";
import { seeded } from "./seeded.ts";

const TOPIC_ACCOUNT = "012345678901";
const TOPIC = `arn:aws:sns:${REGION}:${TOPIC_ACCOUNT}:aec-default`;
const AEC = fileURLToPath(new URL("../../bin/aec.js", import.meta.url));
/** Long enough for the cache to be right by events alone. */
const INTERVAL_SECONDS = 280;
const EVENT_EVERY_MS = 700;
const SETTLE_MS = 6 * 60_000;

export interface SoakReport {
  events: number;
  faults: string[];
  /** What the audit says of AWS and cache. */
  audit: { exit: number; output: string };
  /** Messages that nobody settled. */
  left: number;
  /** Keys of `aec`'s that hold somebody up. */
  locks: string[];
  /** Resident memory of the replica that is never killed, MB: after the first minute, and at the end. */
  memory: { from: number; to: number };
  /** The end of each replica's log. */
  logs: string;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Random events and faults against two replicas, a queue, the real engine and its Redis, for so long. */
export async function soak({ minutes, seed }: { minutes: number; seed: number }): Promise<SoakReport> {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const cleanUp: (() => unknown)[] = [];
  try {
    const [redis, moto, localStack] = await Promise.all([startRedis(), startMoto(), startLocalStack()]);
    cleanUp.push(redis.stop, moto.stop, localStack.stop);
    const proxy = await startAwsProxy({ motoPort: moto.port });
    cleanUp.push(proxy.close);
    const inventory = motoInventory(moto.url, REGION);
    await inventory.createLaunchTemplate();
    const engineOptions: EngineOptions = {
      redisUrl: redis.url,
      proxyPort: proxy.port,
      regions: [REGION],
      intervalSeconds: INTERVAL_SECONDS,
    };
    let engine: Engine = await startEngine(engineOptions);
    cleanUp.push(() => engine.stop());
    // A node that comes back has another port: what is configured stays.
    const door = await openDoor(() => engine.url);
    cleanUp.push(door.close);

    const env = {
      PATH: process.env.PATH,
      ...localStack.env(TOPIC_ACCOUNT, REGION),
      AEC_CLOUDDRIVER_URL: door.url,
      AEC_LOCK_STORE: redis.url,
    };
    const created = await aec(["sns", "create", "--protocol", "sqs", "--yes"], { env });
    if (created.exit !== 0) throw new Error(created.stderr);
    const queueUrl = localStack.queueUrl(TOPIC_ACCOUNT, "aec-default-events");
    const argv = [AEC, "serve", "--mode", "events", "--queue-url", queueUrl, "--admin-listen", "off"];
    const startReplica = () => spawnServer(process.execPath, argv, { env });
    let mortal: ServerProcess = await startReplica();
    const lasting = await startReplica();
    cleanUp.push(() => Promise.all([mortal.stop(), lasting.stop()]));

    const client = {
      endpoint: localStack.url,
      region: REGION,
      credentials: { accessKeyId: TOPIC_ACCOUNT, secretAccessKey: "test" },
    };
    const [sns, sqs] = [new SNSClient(client), new SQSClient(client)];
    let events = 0;
    const publish = async (message: object) => {
      events += 1;
      await sns.send(new PublishCommand({ TopicArn: TOPIC, Message: JSON.stringify(message) }));
    };
    /** Late, early, twice, or lost in noise: as AWS may tell of it. */
    const announce = async (message: object) => {
      if (random() < 0.3) await pause(random() * 8_000);
      await publish(message);
      if (random() < 0.15) await publish(message);
      if (random() < 0.1) await publish({ messageType: "ComplianceChangeNotification" });
      if (random() < 0.05) await publish({ source: "aws.autoscaling", detail: null });
    };
    const change = createChanges(inventory, announce, random);
    const faults: string[] = [];
    const fault = async () => {
      const kind = pick(["aec", "aec", "redis", "clouddriver", "throttling"]);
      faults.push(kind);
      if (kind === "aec") {
        await mortal.kill();
        await pause(2_000);
        mortal = await startReplica();
      } else if (kind === "redis") await redis.restart();
      else if (kind === "clouddriver") {
        await engine.kill();
        engine = await startEngine({ ...engineOptions, waitForAgents: [] });
      } else {
        proxy.rule(() => (random() < 0.5 ? { status: 503, code: "RequestLimitExceeded" } : undefined));
        await pause(6_000);
        proxy.rule(undefined);
      }
    };

    const end = Date.now() + minutes * 60_000;
    const changing = (async () => {
      const open: Promise<unknown>[] = [];
      while (Date.now() < end) {
        open.push(change());
        await pause(EVENT_EVERY_MS);
      }
      await Promise.all(open);
    })();
    changing.catch(() => {});
    const failing = (async () => {
      for (await pause(15_000); Date.now() < end; await pause(10_000 + random() * 15_000)) await fault();
    })();
    failing.catch(() => {});
    await pause(60_000);
    if (lasting.exited()) throw new Error(`aec serve ended by itself: ${lasting.output().slice(-5_000)}`);
    const from = memoryOf(lasting.pid);
    await Promise.all([changing, failing]);

    const left = async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["All"] }),
      );
      return (
        Number(Attributes?.ApproximateNumberOfMessages) +
        Number(Attributes?.ApproximateNumberOfMessagesNotVisible) +
        Number(Attributes?.ApproximateNumberOfMessagesDelayed)
      );
    };
    for (const deadline = Date.now() + SETTLE_MS; (await left()) > 0 && Date.now() < deadline; )
      await pause(2_000);
    const to = memoryOf(lasting.pid);
    const rest = await left();
    const audited = await aec(["refresh", "--account", "default", "--audit", "--exit-code", "-o", "json"], {
      env: { ...env, AWS_ENDPOINT_URL: moto.url, AWS_ACCESS_KEY_ID: "test" },
    });
    const logs = [mortal, lasting].map((one) => one.output().slice(-20_000)).join("\n====\n");
    await Promise.all([mortal.stop(), lasting.stop()]);
    const store = new Redis(redis.url);
    const leases = await store.keys("aec:lease*");
    store.disconnect();
    const locks = [...leases, ...(await heldAgents(redis.url))];
    const audit = { exit: audited.exit, output: audited.stdout + audited.stderr };
    return { events, faults, audit, left: rest, locks, memory: { from, to }, logs };
  } finally {
    for (const undo of cleanUp.toReversed()) await undo();
  }
}

/** One change of AWS after the other, each told of as AWS Config or the service tells. */
function createChanges(
  inventory: ReturnType<typeof motoInventory>,
  announce: (message: object) => Promise<void>,
  random: () => number,
): () => Promise<void> {
  const groups = new Map<string, number>();
  const securityGroups: string[] = [];
  let made = 0;
  const item = (resourceType: string, id: string, gone: boolean, more: object = {}) => ({
    messageType: "ConfigurationItemChangeNotification",
    configurationItem: {
      awsAccountId: MOTO_ACCOUNT,
      awsRegion: REGION,
      resourceType,
      resourceId: id,
      resourceName: id,
      configurationItemStatus: gone ? "ResourceDeleted" : "OK",
      configurationItemCaptureTime: new Date().toISOString(),
      configurationStateId: Date.now(),
      ...more,
    },
  });
  const group = (name: string, desired: number | undefined) =>
    item("AWS::AutoScaling::AutoScalingGroup", name, desired === undefined, {
      configuration: desired === undefined ? null : { desiredCapacity: desired },
    });
  return async () => {
    const roll = random();
    const [name] = [...groups.keys()].slice(Math.floor(random() * groups.size));
    if (roll < 0.3 || name === undefined) {
      made += 1;
      const fresh = `soak${made % 7}-main-v${String(made).padStart(3, "0")}`;
      groups.set(fresh, 1);
      await inventory.group(fresh, 1);
      await announce(group(fresh, 1));
    } else if (roll < 0.6) {
      const desired = 1 + Math.floor(random() * 3);
      groups.set(name, desired);
      await inventory.group(name, desired);
      await announce(group(name, desired));
    } else if (roll < 0.8 && groups.size > 5) {
      groups.delete(name);
      await inventory.removeGroup(name);
      await announce(group(name, undefined));
    } else if (roll < 0.92 || securityGroups.length < 3) {
      made += 1;
      const id = await inventory.securityGroup(`soak-${made}`);
      securityGroups.push(id);
      await announce(item("AWS::EC2::SecurityGroup", id, false));
    } else {
      const [id = ""] = securityGroups.splice(0, 1);
      await inventory.removeSecurityGroup(id);
      await announce(item("AWS::EC2::SecurityGroup", id, true));
    }
  };
}

function memoryOf(pid: number): number {
  const [, kb = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kb) / 1_024);
}
