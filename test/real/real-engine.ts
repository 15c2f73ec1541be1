import { systemClock } from "../../src/clock.ts";
import type { EngineUnderTest } from "../contract/engine.ts";
import { type AwsProxy, startAwsProxy } from "./clouddriver/aws-proxy.ts";
import { type EngineOptions, startEngine } from "./clouddriver/engine.ts";
import { startMoto } from "./clouddriver/moto.ts";
import { startRedis } from "./clouddriver/redis.ts";
import { motoInventory } from "./moto-inventory.ts";

/** moto's account, under which Clouddriver's only account, `default`, looks at AWS. */
export const MOTO_ACCOUNT = "123456789012";
export const REGION = "us-east-1";

export interface RealEngine extends EngineUnderTest {
  proxy: AwsProxy;
  motoUrl: string;
  /** The last part of Clouddriver's log. */
  output(): string;
}

/** The real caching engine with a real Redis, and moto behind the proxy that counts. */
export async function startRealEngine(
  options: Pick<EngineOptions, "profileDir" | "properties"> = {},
): Promise<RealEngine> {
  const [redis, moto] = await Promise.all([startRedis(), startMoto()]);
  const proxy = await startAwsProxy({ motoPort: moto.port });
  const aws = motoInventory(moto.url, REGION);
  await aws.createLaunchTemplate();
  const engine = await startEngine({
    redisUrl: redis.url,
    proxyPort: proxy.port,
    regions: [REGION],
    ...options,
  });
  return {
    account: "default",
    region: REGION,
    clouddriverUrl: engine.url,
    redisUrl: redis.url,
    awsEnv: {
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: REGION,
    },
    motoUrl: moto.url,
    output: engine.output,
    proxy,
    clock: systemClock(),
    ...aws,
    failClusters: (on) =>
      proxy.rule(
        on
          ? ({ action }) => (action === "DescribeAutoScalingGroups" ? { status: 500 } : undefined)
          : undefined,
      ),
    async stop() {
      await engine.stop();
      await Promise.all([proxy.close(), redis.stop(), moto.stop()]);
    },
  };
}
