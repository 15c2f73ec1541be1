import { once } from "node:events";
import type { Server } from "node:http";
import { pino } from "pino";
import type { LockStore } from "../agents/stores/redis.ts";
import { regionOf } from "../aws/clients.ts";
import { callerIdentity } from "../aws/identity.ts";
import { createSns } from "../aws/sns.ts";
import { type Account, createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { parseDuration } from "../duration.ts";
import { messageOf, usageError } from "../errors.ts";
import { createSigningKeys } from "../events/certificate.ts";
import { parseTopicArn } from "../events/signing-host.ts";
import { createAccounts } from "../serve/accounts.ts";
import { adminHandler } from "../serve/admin.ts";
import { createApply, type Mode } from "../serve/apply.ts";
import { createDispatch } from "../serve/dispatch.ts";
import { listen, parseListen } from "../serve/listener.ts";
import { notifyHandler } from "../serve/notify.ts";

export interface ServeOptions {
  listen: string;
  path: string;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  adminListen: string;
  topicArn?: string[] | undefined;
  debounce: string;
  requireSignatureVersion?: "2" | undefined;
  mode?: Mode | undefined;
}

/** Bound on one agent run or one wait for a pass. */
const RUN_TIMEOUT_MS = 120_000;

/** `aec serve`: listens until it is told to stop. Prints one JSON line when it is ready. */
export async function run(context: Context, options: ServeOptions): Promise<undefined> {
  const { world, settings, out } = context;
  const { clock, signal } = world;
  const log = pino(
    {
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      level: out.verbose ? "debug" : "info",
    },
    { write: (line: string) => void world.stderr.write(line) },
  );
  const topics = await allowedTopics(context, options.topicArn);
  const mode = chooseMode(options.mode, settings.lockStore.value);
  const tls = tlsFiles(options);
  const notifyAddress = parseListen(options.listen, "--listen");
  const adminAddress =
    options.adminListen === "off" ? undefined : parseListen(options.adminListen, "--admin-listen");
  const debounceMs = parseDuration(options.debounce, "--debounce");

  const endpoint = world.env.AWS_ENDPOINT_URL_SNS ?? world.env.AWS_ENDPOINT_URL;
  if (endpoint)
    log.warn({ endpoint }, "signing certificates are taken from the configured SNS endpoint alone");

  const clouddriver = createClouddriver(context);
  const locks = mode === "agents" ? await openLocks(settings.lockStore.value ?? "") : undefined;
  const interval = settings.section.polling?.interval;
  const refresher = {
    clouddriver,
    locks,
    clock,
    signal,
    timeoutMs: context.timeout(RUN_TIMEOUT_MS),
    intervalMs: interval === undefined ? undefined : parseDuration(interval, "polling.interval"),
  };
  const accounts = createAccounts(clouddriver.accounts, configuredAccounts(context), clock);
  const dispatch = createDispatch({
    policy: {
      topics: new Set(topics),
      requireVersion2: options.requireSignatureVersion === "2",
      endpoint,
      keys: createSigningKeys(context.fetch, clock),
      clock,
    },
    accounts,
    apply: createApply(mode, refresher, debounceMs),
    confirm: (topicArn, token) =>
      createSns(context, parseTopicArn(topicArn)?.region ?? "").confirm(topicArn, token),
    clock,
    log,
  });
  const missing = async () => {
    const problems = await Promise.allSettled([accounts(), locks?.count(["readiness"])]);
    return problems.flatMap((problem) => (problem.status === "rejected" ? [messageOf(problem.reason)] : []));
  };

  const servers: Server[] = [];
  try {
    const notify = await listen(
      notifyAddress,
      notifyHandler(options.path, (body) => dispatch.receive(body, signal)),
      tls,
    );
    servers.push(notify.server);
    const admin = adminAddress
      ? await listen(
          adminAddress,
          adminHandler({
            missing,
            status: async () => ({ mode, topics, open: dispatch.open(), missing: await missing() }),
            fate: dispatch.fate,
            token: settings.serveToken.value,
          }),
        )
      : undefined;
    if (admin) servers.push(admin.server);

    for (const problem of await missing())
      log.error({ problem }, "not ready: events are answered with 503 until it is");
    out.line({ notify: `${notify.url}${options.path}`, admin: admin?.url ?? null, mode, topics });
    if (!signal.aborted) await once(signal, "abort");
    log.info({ open: dispatch.open() }, "stopping; what is not applied yet will be delivered again");
  } finally {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    locks?.close();
  }
  return undefined;
}

/** --topic-arn, else the environment's own topic in the caller's account. */
async function allowedTopics(context: Context, arns: readonly string[] | undefined): Promise<string[]> {
  for (const arn of arns ?? []) {
    if (!parseTopicArn(arn)) {
      throw usageError("bad-topic-arn", `--topic-arn: "${arn}" is not the ARN of a topic`, {
        hint: "it looks like arn:aws:sns:us-east-1:012345678901:aec-prod; aec sns status prints it",
      });
    }
  }
  if (arns && arns.length > 0) return [...new Set(arns)];
  const { section, environment } = context.settings;
  const name = section.notify?.topicName ?? `aec-${environment.value}`;
  const regions = section.notify?.regions ?? [regionOf(context)];
  const { partition, accountId } = await callerIdentity(context, regions[0] ?? regionOf(context));
  return regions.map((region) => `arn:${partition}:sns:${region}:${accountId}:${name}`);
}

function chooseMode(wanted: Mode | undefined, lockStore: string | undefined): Mode {
  if (wanted === "agents" && lockStore === undefined) {
    throw usageError("no-lock-store", "--mode agents needs the lock store of Clouddriver's scheduler", {
      hint: "add --lock-store redis://HOST:6379, or use --mode careful",
    });
  }
  return wanted ?? (lockStore === undefined ? "careful" : "agents");
}

function tlsFiles({ tlsCert, tlsKey }: ServeOptions) {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey };
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  throw usageError("bad-tls", "--tls-cert and --tls-key go together");
}

async function openLocks(url: string): Promise<LockStore> {
  const { openRedisLocks } = await import("../agents/stores/redis.ts");
  return openRedisLocks(url);
}

function configuredAccounts({ settings }: Context): Account[] {
  return (settings.section.accounts ?? []).map(({ name, awsAccountId, regions }) => ({
    name,
    awsAccountId,
    regions: regions ?? [],
    provider: "aws",
  }));
}
