import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cacheDir } from "./cache-dir.ts";
import { freePort, type ServerProcess, spawnServer, waitUntil } from "./process.ts";

/** How `startEngine` starts the caching engine. */
export interface EngineOptions {
  readonly redisUrl: string;
  /** Port of the AWS proxy, which is also taken for Front50. */
  readonly proxyPort: number;
  readonly regions: readonly string[];
  /** `redis.poll.intervalSeconds`. Left out: 30, or what the profile says. */
  readonly intervalSeconds?: number;
  /** `redis.poll.errorIntervalSeconds`. Left out: 30, or what the profile says. */
  readonly errorIntervalSeconds?: number;
  /** `redis.poll.timeoutSeconds`. Left out: 300, or what the profile says. */
  readonly timeoutSeconds?: number;
  /** A directory with a `clouddriver-local.yml`, which ranks above the template. */
  readonly profileDir?: string;
  /** More Spring properties, which rank above every file. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Additional environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Agent types that must have run once. Left out: `agentsOf(regions)`. */
  readonly waitForAgents?: readonly string[];
  /** Bound of the wait for health and, again, of the wait for the agents. */
  readonly readySeconds?: number;
}

/** A running caching engine. */
export interface Engine {
  readonly url: string;
  readonly pid: number;
  /** Stops it as a rolling update would: SIGTERM, then SIGKILL. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** The last part of its log. */
  output(): string;
}

const ACCOUNT = "default";

// ReservedInstancesCachingAgent is not among them: moto cannot answer its call.
const REGIONAL_AGENTS = [
  "ClusterCachingAgent",
  "InstanceCachingAgent",
  "LaunchConfigCachingAgent",
  "AmazonLaunchTemplateCachingAgent",
  "AmazonLoadBalancerCachingAgent",
  "AmazonApplicationLoadBalancerCachingAgent",
  "AmazonLoadBalancerInstanceStateCachingAgent",
  "AmazonSecurityGroupCachingAgent",
  "AmazonSubnetCachingAgent",
  "AmazonVpcCachingAgent",
];

/** The agents of the account `default` that the suite works with, for these Regions. */
export function agentsOf(regions: readonly string[]): string[] {
  return regions.flatMap((region) => REGIONAL_AGENTS.map((agent) => `${ACCOUNT}/${region}/${agent}`));
}

function springProperties(options: EngineOptions, port: number): Record<string, unknown> {
  const properties: Record<string, unknown> = {
    "server.port": port,
    "redis.connection": options.redisUrl,
    "services.front50.baseUrl": `http://127.0.0.1:${options.proxyPort}`,
    "aws.proxy.proxyHost": "127.0.0.1",
    "aws.proxy.proxyPort": String(options.proxyPort),
  };
  options.regions.forEach((region, index) => {
    properties[`aws.defaultRegions[${index}].name`] = region;
    for (const [zoneIndex, zone] of ["a", "b", "c"].entries()) {
      properties[`aws.defaultRegions[${index}].availabilityZones[${zoneIndex}]`] = region + zone;
    }
  });
  const poll = {
    intervalSeconds: options.intervalSeconds,
    errorIntervalSeconds: options.errorIntervalSeconds,
    timeoutSeconds: options.timeoutSeconds,
  };
  for (const [key, value] of Object.entries(poll)) {
    if (value !== undefined) properties[`redis.poll.${key}`] = value;
  }
  return { ...properties, ...options.properties };
}

function jvmArguments(options: EngineOptions): string[] {
  const cache = cacheDir();
  const classPath = join(cache, "java.args");
  if (!existsSync(classPath))
    throw new Error(`${classPath} is missing: run build.sh of this directory first`);
  const archive = join(cache, "harness.jsa");
  // Replaces the default ~/.spinnaker, so that no configuration of the machine is read.
  const locations = [
    import.meta.dirname,
    ...(options.profileDir === undefined ? [] : [resolve(options.profileDir)]),
  ];
  return [
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx768m",
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []),
    `-Dspring.config.additional-location=${locations.map((each) => `file:${each}/`).join(",")}`,
    `@${classPath}`,
    "aec.harness.Main",
  ];
}

function environment(options: EngineOptions, port: number, home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    ...(process.env.JAVA_HOME === undefined ? {} : { JAVA_HOME: process.env.JAVA_HOME }),
    HOME: home,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    ...options.env,
    SPRING_APPLICATION_JSON: JSON.stringify(springProperties(options, port)),
  };
}

async function getJson(url: string): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

async function waitForEngine(options: EngineOptions, url: string, java: ServerProcess): Promise<void> {
  const boundMs = (options.readySeconds ?? 120) * 1_000;
  await waitUntil("Clouddriver engine", java, boundMs, async () => {
    const health = (await getJson(`${url}/health`)) as { status?: string };
    return health.status === "UP";
  });
  const wanted = options.waitForAgents ?? agentsOf(options.regions);
  await waitUntil(`Agents ${wanted.join(", ")}`, java, boundMs, async () => {
    const entries = (await getJson(`${url}/cache/introspection`)) as readonly { id: string }[];
    const seen = new Set(entries.map((entry) => entry.id));
    return wanted.every((agent) => seen.has(agent));
  });
}

/** Starts the engine on a free port of 127.0.0.1 and waits until it is healthy and its agents have run. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // An empty working directory: Spring also reads ./ and ./config.
  const home = await mkdtemp(join(tmpdir(), "aec-engine-"));
  const java = await spawnServer("java", jvmArguments(options), {
    cwd: home,
    env: environment(options, port, home),
  });
  const cleanUp = (): Promise<void> => rm(home, { recursive: true, force: true });
  try {
    await waitForEngine(options, url, java);
  } catch (error) {
    await cleanUp();
    throw error;
  }
  return {
    url,
    pid: java.pid,
    output: () => java.output(),
    async stop() {
      await java.stop(15_000);
      await cleanUp();
    },
    async kill() {
      await java.kill();
      await cleanUp();
    },
  };
}
