import type { Clock } from "../clock.ts";
import { type SandboxAws, startAws } from "./aws/server.ts";
import type { Account } from "./clouddriver/agents.ts";
import { type ClouddriverOptions, type SandboxClouddriver, startClouddriver } from "./clouddriver/server.ts";
import { createKeyspace } from "./redis/keyspace.ts";
import { SCRIPTS } from "./redis/scripts.ts";
import { type SandboxRedis, startRedis } from "./redis/server.ts";

export interface SiteOptions {
  clock: Clock;
  regions?: readonly string[];
  /** Interval of the caching agents, ms. */
  intervalMs?: number;
  /** How long a run of an agent lasts, ms. */
  runMs?: number;
  /** An AWS that another site looks at too. */
  aws?: SandboxAws;
  /** Accounts besides `prod`. */
  accounts?: readonly Account[];
  /** What is switched on for `prod`, beyond what every account has. */
  features?: Account["features"];
  /** Under which name this site's AWS calls are counted. */
  client?: string;
  /** Where agents take their locks, if not in the site's Redis. */
  locks?: { url: string; schedule: NonNullable<ClouddriverOptions["schedule"]> };
}

/** One Spinnaker on the sandbox: AWS, Clouddriver and the Redis that both its scheduler and `aec` use. */
export interface Site {
  aws: SandboxAws;
  clouddriver: SandboxClouddriver;
  redis: SandboxRedis;
  account: string;
  /** Environment variables that point `aec` at all of it. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** Starts a site with an account `prod` on free loopback ports. */
export async function startSite(options: SiteOptions): Promise<Site> {
  const { clock, regions = ["us-east-1"], client = "clouddriver" } = options;
  const account = "prod";
  const aws = options.aws ?? (await startAws({ clock, regions: [...regions] }));
  const redis = await startRedis({ clock, keyspace: createKeyspace(clock), scripts: SCRIPTS });
  const clouddriver = await startClouddriver({
    clock,
    inventory: aws.inventory,
    keyspace: redis.keyspace,
    accounts: [
      { name: account, accountId: aws.accountId, regions: [...regions], features: options.features ?? [] },
      ...(options.accounts ?? []),
    ],
    client,
    ...(options.locks && { schedule: options.locks.schedule }),
    ...(options.runMs !== undefined && { runMs: options.runMs }),
    ...(options.intervalMs !== undefined && { intervalMs: options.intervalMs }),
  });
  return {
    aws,
    clouddriver,
    redis,
    account,
    env: {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: "sandbox",
      AWS_SECRET_ACCESS_KEY: "sandbox",
      AWS_REGION: regions[0] ?? "us-east-1",
      AEC_CLOUDDRIVER_URL: clouddriver.url,
      AEC_LOCK_STORE: options.locks?.url ?? redis.url,
    },
    async close() {
      await clouddriver.close();
      await redis.close();
      if (!options.aws) await aws.close();
    },
  };
}
