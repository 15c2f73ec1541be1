import { once } from "node:events";
import type { Server } from "node:http";
import { resolve } from "node:path";
import { partitionOf, placeOf, placesOf, regionsOf } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { parseDuration } from "../duration.ts";
import { messageOf, usageError } from "../errors.ts";
import { noteSettled } from "../serve/holding/coverage.ts";
import { watchDeadLetters } from "../serve/holding/dead-letters.ts";
import { sendHeartbeats } from "../serve/holding/heartbeat.ts";
import { createLosses } from "../serve/holding/losses.ts";
import { createLog } from "../serve/log.ts";
import { listen, parseListen } from "../serve/receiving/listener.ts";
import { notifyHandler } from "../serve/receiving/notify.ts";
import { parseQueueUrl, type QueueUrl } from "../serve/receiving/queue-url.ts";
import type { Receiver } from "../serve/receiving/receive.ts";
import { createRecording } from "../serve/receiving/recording.ts";
import type { Mode } from "../serve/running/apply.ts";
import { chooseMode, openScheduler } from "../serve/scheduler.ts";
import { adminHandler } from "../serve/telling/admin.ts";
import { createMetrics } from "../serve/telling/metrics.ts";
import { createRecent } from "../serve/telling/recent.ts";
import { statusOf } from "../serve/telling/status.ts";
import type { Watcher } from "../serve/watcher.ts";
import { checkTopicArn, topicArn } from "../sns/topology.ts";
import { topicOf } from "./sns/options.ts";

export interface ServeOptions {
  /** Default where no queue is received from: the loopback address. */
  listen?: string | undefined;
  path: string;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  adminListen: string;
  topicArn?: string[] | undefined;
  queueUrl?: string[] | undefined;
  debounce: string;
  requireSignatureVersion?: "2" | undefined;
  mode?: Mode | undefined;
  canary?: string[] | undefined;
  heartbeat?: string | undefined;
  record?: string | undefined;
}

const LISTEN = "127.0.0.1:7010";
const LEAST_HEARTBEAT_MS = 10_000;

/** `aec serve`: listens and receives until it is told to stop. Prints one JSON line when it is ready. */
export async function run(context: Context, options: ServeOptions): Promise<undefined> {
  const { world, settings, out } = context;
  const { clock, signal } = world;
  const queues = (options.queueUrl ?? []).map(parseQueueUrl);
  const wanted = options.mode ?? (settings.section.polling?.mode === "events" ? "events" : undefined);
  const mode = chooseMode(wanted, settings.lockStore.value);
  if (options.canary && mode !== "events") {
    throw usageError("canary-without-events", `--canary is for mode events, and this is mode ${mode}`, {
      hint: "add --mode events, or polling: { mode: events } in aec.yml",
    });
  }
  const topics = await allowedTopics(context, options.topicArn, queues);
  const tls = tlsFiles(options);
  const listenText = options.listen ?? (queues.length > 0 ? undefined : LISTEN);
  const notifyAddress = listenText === undefined ? undefined : parseListen(listenText, "--listen");
  const adminAddress =
    options.adminListen === "off" ? undefined : parseListen(options.adminListen, "--admin-listen");
  const debounceMs = parseDuration(options.debounce, "--debounce");
  const log = createLog(context);
  const requireVersion2 = options.requireSignatureVersion === "2";
  const heartbeatMs =
    options.heartbeat === undefined ? undefined : parseDuration(options.heartbeat, "--heartbeat");
  if (heartbeatMs !== undefined && heartbeatMs < LEAST_HEARTBEAT_MS) {
    throw usageError("bad-heartbeat", `--heartbeat ${options.heartbeat}: at least 10s between two`, {
      hint: "such as 5m",
    });
  }
  const recorded =
    options.record === undefined ? undefined : createRecording(resolve(world.cwd, options.record));
  const recent = createRecent(clock);
  const metrics = createMetrics({
    open: () => dispatch.open(),
    held: () => keeper?.held().length ?? 0,
    slowed: () => scheduler.slow().length,
  });
  const losses = createLosses(() => scheduler, heartbeatMs ?? 0, clock, signal, log);
  const watcher: Watcher = {
    ...metrics,
    heartbeat(path, lagMs, at, topicArn) {
      metrics.heartbeat(path, lagMs, at, topicArn);
      losses.heard(`${topicArn} by ${path}`);
    },
    settled(message) {
      metrics.settled(message);
      recent.settled(message);
      if (scheduler.coverage) noteSettled(scheduler.coverage, message);
      try {
        recorded?.(message);
      } catch (error) {
        // What is applied is applied, whether it can be written down or not.
        log.error({ problem: messageOf(error) }, "a message is not recorded");
      }
    },
  };
  const scheduler = await openScheduler(context, {
    mode,
    topics,
    debounceMs,
    requireVersion2,
    canary: options.canary,
    log,
    watcher,
  });
  const { dispatch, keeper, refreshes } = scheduler;
  const unreachable = new Map<string, string>();
  const missing = async () => [...(await scheduler.missing()), ...unreachable.values()];

  const servers: Server[] = [];
  try {
    const notify =
      notifyAddress &&
      (await listen(
        notifyAddress,
        notifyHandler(options.path, (body) => dispatch.receive(body, signal)),
        tls,
      ));
    if (notify) servers.push(notify.server);
    const status = () =>
      statusOf({ mode, topics, queues: queues.map(({ url }) => url), scheduler, recent, missing });
    const token = settings.serveToken.value;
    const admin =
      adminAddress &&
      (await listen(
        adminAddress,
        adminHandler({
          missing,
          status,
          fate: dispatch.fate,
          metrics,
          refreshes,
          keeper,
          token,
          now: clock.now,
        }),
      ));
    if (admin) servers.push(admin.server);
    const receivers: Receiver[] = await Promise.all(
      queues.map(async ({ url, accountId, region }) => {
        const { createSqs } = await import("../aws/sqs.ts");
        const sqs = createSqs(
          context,
          await placeOf(context, accountId, region ?? regionsOf(context)[0] ?? ""),
        );
        const report = (problem: string | undefined) =>
          void (problem === undefined ? unreachable.delete(url) : unreachable.set(url, `${url}: ${problem}`));
        return { sqs, queueUrl: url, dispatch, clock, signal, log, report };
      }),
    );

    for (const problem of await missing())
      log.error({ problem }, "not ready: events wait and are delivered again until it is");
    out.line({
      notify: notify ? `${notify.url}${options.path}` : null,
      admin: admin?.url ?? null,
      mode,
      topics,
      queues: queues.map(({ url }) => url),
    });
    const { receiveFrom } = await import("../serve/receiving/receive.ts");
    const working = [
      ...receivers.map(receiveFrom),
      ...(keeper ? [keeper.keep(), losses.beforeStart(), scheduler.watchPending(), scheduler.heal()] : []),
      scheduler.watchExecutions(),
      scheduler.watchUnannounced(losses.lost),
      ...(scheduler.leases ? [scheduler.leases.lead()] : []),
      ...(heartbeatMs === undefined ? [] : [sendHeartbeats(context, topics, heartbeatMs, log)]),
      ...(heartbeatMs === undefined ? [] : [losses.expectHeartbeats()]),
      ...(keeper ? [watchDeadLetters(context, topics, log, losses.lost)] : []),
    ];
    if (!signal.aborted) await once(signal, "abort");
    await Promise.all(working);
    log.info({ open: dispatch.open() }, "stopping; what is not applied yet will be delivered again");
  } finally {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await scheduler.close();
  }
  return undefined;
}

/** --topic-arn, else the topics of the queues, else those of each account and Region that `sns create` works in. */
async function allowedTopics(
  context: Context,
  arns: readonly string[] | undefined,
  queues: readonly QueueUrl[],
): Promise<string[]> {
  if (arns && arns.length > 0) return [...new Set(arns.map((arn) => checkTopicArn(arn)))];
  const { topicName } = topicOf(context, {});
  if (queues.length > 0 && queues.every(({ region }) => region !== undefined)) {
    return queues.map(({ accountId, region = "" }) =>
      topicArn({ partition: partitionOf(region), region, accountId, topicName }),
    );
  }
  const places = await placesOf(context, {});
  return places.map((place) => topicArn({ ...place, topicName }));
}

function tlsFiles({ tlsCert, tlsKey }: ServeOptions) {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey };
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  throw usageError("bad-tls", "--tls-cert and --tls-key go together");
}
