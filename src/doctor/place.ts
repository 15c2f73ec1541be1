import { createConfigService, type LastDelivery } from "../aws/config-service.ts";
import { createEventBridge, type FoundRule } from "../aws/eventbridge.ts";
import type { Place } from "../aws/places.ts";
import { createSns } from "../aws/sns.ts";
import { createSqs } from "../aws/sqs.ts";
import type { Context } from "../context.ts";
import { RECORDED_TYPES } from "../events/table.ts";
import { observeRecording } from "../recorder/observe.ts";
import { dailyTypes, type ObservedRecording, recordedTypes } from "../recorder/plan.ts";
import { RULE_KINDS } from "../rules/rules.ts";
import { observe } from "../sns/observe.ts";
import { type ObservedTopology, planTopology, shutOut } from "../sns/plan.ts";
import { topicArn, type WantedTopology } from "../sns/topology.ts";
import { type Check, failed, ok, type Repair, skipped } from "./check.ts";

/** Looks at everything that `aec` works with in one account and Region; what cannot be read is a check too. */
export async function checkPlace(
  context: Context,
  place: Place,
  wanted: WantedTopology,
  ruleNames: readonly string[],
): Promise<Check[]> {
  const { account, accountId, credentials, region } = place;
  const here = { regions: [region], accounts: account === undefined ? undefined : [account] };
  const where = `${credentials ? `--accounts ${account} ` : ""}--aws-region ${region}`;
  const config = createConfigService(context, place);
  const bridge = createEventBridge(context, place);
  const checks = await Promise.all([
    attempt("topic", async () => {
      const observed = await observe(wanted, createSns(context, place), createSqs(context, place));
      return topologyChecks(wanted, observed, where);
    }),
    attempt("recorder", async () => {
      const [observed, last] = await Promise.all([observeRecording(config), config.lastDelivery()]);
      return [recorderCheck(observed, where), channelCheck(wanted, observed, last, where)];
    }),
    attempt("rules", async () => ruleChecks(wanted, await Promise.all(ruleNames.map(bridge.rule)), where)),
  ]);
  return checks.flat().map((check) => ({
    ...check,
    ...(check.repair && { repair: { ...check.repair, ...here } }),
    accountId,
    region,
  }));
}

async function attempt(id: string, look: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await look();
  } catch (error) {
    return [failed(id, error)];
  }
}

/** Everything that `sns create` would change is a check that fails. */
function topologyChecks(wanted: WantedTopology, observed: ObservedTopology, where: string): Check[] {
  const fix = `aec sns create ${where}${wanted.endpoint ? "" : " --endpoint https://GATE/aws/notify"}`;
  if (!observed.topic) {
    return [{ id: "topic", result: "failure", reason: `there is no topic ${topicArn(wanted)}`, fix }];
  }
  const { changes } = planTopology(wanted, observed);
  // Publishers and the lack of a dead-letter queue may be what somebody wanted, by flags that doctor does not have.
  const losesNothing =
    wanted.endpoint !== undefined &&
    shutOut(wanted, observed).length === 0 &&
    !changes.some(({ resource, action }) => resource === "dead-letter queue" && action === "create");
  const drift = changes.map(({ resource, action, detail }): Check => {
    const id = IDS[resource] ?? resource;
    if (action === "none") return ok(id, `the ${resource} is as it should be`);
    const reason = action === "create" ? `there is no ${resource}` : `the ${resource} has drifted`;
    return {
      id,
      result: "failure",
      reason,
      evidence: detail,
      fix,
      ...(losesNothing && { repair: { command: "sns create" } }),
    };
  });
  const dead = observed.deadLetterQueue === "not-read" ? undefined : observed.deadLetterQueue;
  const undelivered = Number(dead?.attributes.ApproximateNumberOfMessages ?? 0);
  const subscription: Check[] =
    wanted.endpoint === undefined
      ? [skipped("subscription", "no endpoint is named", "set notify.endpoint in aec.yml, or protocol: sqs")]
      : [];
  return [
    ...drift,
    ...subscription,
    ...(dead === undefined
      ? []
      : [
          undelivered === 0
            ? ok("undelivered", "the dead-letter queue is empty")
            : {
                id: "undelivered",
                result: "warning" as const,
                reason: `${undelivered} messages could not be delivered`,
                evidence: "ApproximateNumberOfMessages of the dead-letter queue",
                fix: `aec sns redrive ${where}`,
                repair: { command: "sns redrive" as const },
              },
        ]),
  ];
}

const IDS: Readonly<Record<string, string>> = {
  "topic encryption": "topic.encryption",
  "topic policy": "topic.policy",
  "topic signature version": "topic.signature",
  "dead-letter queue": "dead-letter-queue",
  "event queue": "event-queue",
};

/** Whether AWS Config records what `serve` uses. */
function recorderCheck({ recorder, recording }: ObservedRecording, where: string): Check {
  const id = "recorder";
  const fix = `aec recorder enable ${where}`;
  if (!recorder) {
    const reason = "AWS Config has no recorder: it sends nothing";
    return { id, result: "warning", reason, fix: `${fix} --bucket NAME` };
  }
  if (!recording) return { id, result: "failure", reason: "AWS Config's recorder is stopped", fix };
  const types = RECORDED_TYPES;
  const { missing } = recordedTypes(recorder, types);
  if (missing.length > 0) {
    const reason = "the recorder leaves needed types out";
    return { id, result: "failure", reason, evidence: missing.join(", "), fix };
  }
  const daily = dailyTypes(recorder, types);
  if (daily.length > 0) {
    return {
      id,
      result: "warning",
      reason: "needed types are recorded once a day: of no use for a cache",
      evidence: daily.join(", "),
      fix: "set their recordingFrequency to CONTINUOUS, or use: aec events enable --cloudtrail",
    };
  }
  return ok(id, "AWS Config records what aec serve uses");
}

/** Whether what AWS Config records gets to the topic. */
function channelCheck(
  wanted: WantedTopology,
  { channel }: ObservedRecording,
  last: LastDelivery | null,
  where: string,
): Check {
  const id = "channel";
  if (!channel) return skipped(id, "there is no delivery channel");
  const topic = channel.snsTopicARN;
  if (!topic) {
    const reason = "the delivery channel publishes nowhere";
    return { id, result: "warning", reason, fix: `aec recorder enable ${where}` };
  }
  if (topic !== topicArn(wanted)) {
    return {
      id,
      result: "warning",
      reason: "the delivery channel publishes to another topic",
      evidence: topic,
      fix: `aec serve --topic-arn ${topic}, or: aec events enable --config-items ${where}`,
    };
  }
  if (last?.status === "FAILURE") {
    const reason = "AWS Config could not publish to the topic";
    return {
      id,
      result: "failure",
      reason,
      evidence: last.reason ?? undefined,
      fix: `aec sns create ${where}`,
    };
  }
  return ok(id, "the delivery channel publishes to the topic", last?.at ? `last at ${last.at}` : undefined);
}

function ruleChecks(
  wanted: WantedTopology,
  rules: readonly (FoundRule | undefined)[],
  where: string,
): Check[] {
  const found = rules.filter((rule) => rule !== undefined);
  const fix = `aec events enable ${where}`;
  if (found.length === 0) {
    return [
      skipped("rules", "no EventBridge rules: changes are told by AWS Config alone, within minutes", fix),
    ];
  }
  const broken = found.filter(({ enabled, targets }) => !enabled || targets.length === 0);
  if (broken.length === 0) return [ok("rules", `${found.length} EventBridge rules are enabled`)];
  const evidence = broken.map(({ arn }) => arn).join(", ");
  const kinds = RULE_KINDS.filter((kind) =>
    broken.some(({ arn }) => arn.endsWith(`/${wanted.topicName}-${kind}`)),
  );
  // One with another target sends where somebody wanted it.
  const ours = broken.every(({ targets }) => targets.every(({ arn }) => arn === topicArn(wanted)));
  const repair: Repair | undefined = ours ? { command: "events enable", rules: kinds } : undefined;
  const reason = "rules are disabled or have no target";
  return [{ id: "rules", result: "failure", reason, evidence, fix, repair }];
}
