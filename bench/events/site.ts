import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { aec } from "../../test/helpers/aec.ts";
import type { Told } from "../../test/real/aws-messages.ts";
import { startAwsProxy } from "../../test/real/clouddriver/aws-proxy.ts";
import { startEngine } from "../../test/real/clouddriver/engine.ts";
import { startMoto } from "../../test/real/clouddriver/moto.ts";
import { freePort, spawnServer, waitUntil } from "../../test/real/clouddriver/process.ts";
import { startRedis } from "../../test/real/clouddriver/redis.ts";
import { openDoor } from "../../test/real/door.ts";
import { startLocalStack } from "../../test/real/localstack.ts";
import { fillRegion } from "./inventory.ts";

const AEC = fileURLToPath(new URL("../../bin/aec.js", import.meta.url));
const TOPIC_ACCOUNT = "012345678901";

/** What `serve` is told: nothing but what the README recommends. */
const CONFIG = `version: 1
environments:
  default:
    polling:
      mode: events
      floor: 15m
      rules:
        # What no event tells of, and hardly ever changes.
        - { agents: "**/LaunchConfigCachingAgent", interval: 15m }
        - { agents: "**/AmazonCertificateCachingAgent", interval: 15m }
        - { agents: "**/ReservedInstancesCachingAgent", interval: 1h }
        - { agents: "AmazonInstanceTypeCachingAgent/**", interval: 1h }
`;

/** Agents that the rules slow down, events or not. */
export const RULED = /LaunchConfigCaching|CertificateCaching|ReservedInstancesCaching|InstanceTypeCaching/;

export const REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"].slice(
  0,
  Number(process.env.BENCH_REGIONS ?? 4),
);

export type Site = Awaited<ReturnType<typeof startSite>>;

/** Redis, moto behind the counting proxy, and the real caching engine, with the same inventory in each Region. */
export async function startSite({
  regions,
  intervalSeconds,
}: {
  regions: string[];
  intervalSeconds: number;
}) {
  const [redis, moto] = await Promise.all([startRedis(), startMoto()]);
  const proxy = await startAwsProxy({ motoPort: moto.port });
  const filled = await Promise.all(regions.map((region) => fillRegion(moto.url, region)));
  const options = { redisUrl: redis.url, proxyPort: proxy.port, regions, intervalSeconds, readySeconds: 240 };
  let engine = await startEngine(options);
  const door = await openDoor(() => engine.url);
  return {
    regions: filled,
    proxy,
    url: door.url,
    redis,
    motoUrl: moto.url,
    /** As a node that crashes, and is started again. */
    async restartClouddriver() {
      await engine.kill();
      // What is held does not run on the new one yet.
      engine = await startEngine({ ...options, waitForAgents: [] });
    },
    async stop() {
      door.close();
      await engine.stop();
      await Promise.all([proxy.close(), redis.stop(), moto.stop()]);
    },
  };
}

/** `aec serve` in a process of its own, with a topic of LocalStack's that signs and delivers. */
export async function startServe(site: Site, options: readonly string[] = []) {
  const localStack = await startLocalStack({ services: ["sns", "sqs", "sts"] });
  const region = "us-east-1";
  const env = {
    PATH: process.env.PATH,
    ...localStack.env(TOPIC_ACCOUNT, region),
    AEC_CLOUDDRIVER_URL: site.url,
    AEC_LOCK_STORE: site.redis.url,
    AEC_SERVE_TOKEN: "token",
  };
  const topic = `arn:aws:sns:${region}:${TOPIC_ACCOUNT}:aec-default`;
  const cwd = await mkdtemp(join(tmpdir(), "aec-bench-"));
  await writeFile(join(cwd, "aec.yml"), CONFIG);
  const [port, adminPort] = [await freePort(), await freePort()];
  const listen = ["--listen", `127.0.0.1:${port}`, "--admin-listen", `127.0.0.1:${adminPort}`];
  const admin = `http://127.0.0.1:${adminPort}`;
  const argv = [AEC, "serve", ...listen, "--topic-arn", topic, ...options];
  const start = async () => {
    const started = await spawnServer(process.execPath, argv, { cwd, env });
    await waitUntil("aec serve", started, 30_000, async () => (await fetch(`${admin}/readyz`)).ok);
    return started;
  };
  let server = await start();
  const door = await openDoor(() => `http://127.0.0.1:${port}`);
  const created = await aec(["sns", "create", "--endpoint", `${door.url}/aws/notify`, "--yes"], { env });
  if (created.exit !== 0) throw new Error(created.stderr);
  const credentials = { accessKeyId: TOPIC_ACCOUNT, secretAccessKey: "test" };
  const sns = new SNSClient({ endpoint: localStack.url, region, credentials });
  return {
    output: () => server.output(),
    /** Through which SNS delivers. */
    door,
    kill: () => server.kill(),
    async startAgain() {
      server = await start();
    },
    publish: ({ message }: Told) =>
      sns.send(new PublishCommand({ TopicArn: topic, Message: JSON.stringify(message) })),
    async status(): Promise<{ held: number; events: { type: string; region: string; proven: boolean }[] }> {
      const answer = await fetch(`${admin}/status`, { headers: { authorization: "Bearer token" } });
      return (await answer.json()) as Awaited<ReturnType<typeof this.status>>;
    },
    async stop() {
      door.close();
      await server.stop();
      await localStack.stop();
    },
  };
}
