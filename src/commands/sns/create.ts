import { createSns, type Sns, type Topic } from "../../aws/sns.ts";
import { createSqs, type Sqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { EXIT, failure, usageError } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { observe } from "../../sns/observe.ts";
import {
  describeChange,
  type ObservedTopology,
  outdated,
  planTopology,
  type TopologyPlan,
  unconfirmedHints,
} from "../../sns/plan.ts";
import { deadLetterQueueName, ownershipTags, topicArn, type WantedTopology } from "../../sns/topology.ts";
import { type SnsOptions, wantedTopology } from "./options.ts";

export interface SnsCreateOptions extends SnsOptions {
  dryRun?: boolean | undefined;
  exitCode?: boolean | undefined;
  /** False with --no-wait. */
  wait?: boolean | undefined;
}

const CONFIRMATION_TIMEOUT_MS = 180_000;
const CONFIRMATION_POLL_MS = 2_000;

/** `aec sns create`: topic, policy, dead-letter queue and subscription as wanted; run again, it repairs. */
export async function run(context: Context, options: SnsCreateOptions): Promise<CommandResult> {
  const { out } = context;
  if ((options.endpoint ?? context.settings.section.notify?.endpoint) === undefined) {
    throw usageError("no-endpoint", "no endpoint is named", {
      hint: "add --endpoint https://GATE/aws/notify, or set notify.endpoint in aec.yml",
    });
  }
  const wanted = await wantedTopology(context, options);
  const sns = createSns(context, wanted.region);
  const sqs = createSqs(context, wanted.region);
  const observed = await observe(wanted, sns, wanted.deadLetterQueue ? sqs : undefined);
  const plan = planTopology(wanted, observed);
  const arn = topicArn(wanted);
  const differences = plan.changes.filter(({ action }) => action !== "none");

  if (options.dryRun) {
    return {
      data: { region: wanted.region, topicArn: arn, changes: plan.changes, dryRun: true },
      text: () => [...plan.changes.map(describeChange), "Dry run: nothing was changed."].join("\n"),
      exit: options.exitCode && differences.length > 0 ? EXIT.differences : EXIT.ok,
    };
  }
  if (differences.length > 0) {
    for (const change of differences) out.say(describeChange(change));
    await context.confirm(`Make these changes in ${wanted.accountId}, ${wanted.region}?`);
  }
  const subscriptionArn = await applyTopology(wanted, observed, plan, sns, sqs);
  const state = await confirmation(context, wanted, sns, subscriptionArn, options.wait !== false);
  const timedOut = state === "pending" && options.wait !== false;
  const hints = timedOut ? unconfirmedHints(wanted) : [];
  return {
    data: { region: wanted.region, topicArn: arn, subscriptionArn, state, changes: plan.changes, hints },
    exit: timedOut ? EXIT.timeout : EXIT.ok,
    text: (paint) =>
      [
        differences.length === 0 ? "Everything is as wanted: nothing to change." : "",
        `topic         ${arn}`,
        `subscription  ${wanted.endpoint}: ${state === "confirmed" ? paint.green(state) : paint.yellow(state)}`,
        ...hints.map((hint) => `  look at: ${hint}`),
      ]
        .filter(Boolean)
        .join("\n"),
  };
}

/** Applies in an order in which each step finds what it needs; returns the subscription's ARN. */
async function applyTopology(
  wanted: WantedTopology,
  observed: ObservedTopology,
  plan: TopologyPlan,
  sns: Sns,
  sqs: Sqs,
): Promise<string> {
  const arn = topicArn(wanted);
  const tags = ownershipTags(wanted.environment);
  const { queue } = observed;
  if (queue === undefined) await sqs.createQueue(deadLetterQueueName(wanted), plan.queueAttributes, tags);
  else if (queue !== "not-read") {
    const stale = outdated(plan.queueAttributes, queue.attributes);
    if (stale.length > 0) await sqs.setAttributes(queue.url, Object.fromEntries(stale));
  }
  if (!observed.topic) await sns.createTopic(wanted.topicName, tags);
  if (plan.policy) {
    // A new topic comes with AWS's owner statement, which has to stay: our statements are added to what is there now.
    const document = observed.topic ? plan.policy : policyOfNewTopic(wanted, observed, await sns.topic(arn));
    if (document) await sns.setTopicAttribute(arn, "Policy", JSON.stringify(document));
  }
  if (observed.topic?.attributes.SignatureVersion !== "2")
    await sns.setTopicAttribute(arn, "SignatureVersion", "2");

  const known = observed.subscription?.arn;
  if (known === undefined) return sns.subscribe(arn, wanted.endpoint ?? "", plan.subscriptionAttributes);
  for (const [name, value] of outdated(
    plan.subscriptionAttributes,
    observed.subscription?.attributes ?? {},
  )) {
    await sns.setSubscriptionAttribute(known, name, value);
  }
  return known;
}

function policyOfNewTopic(wanted: WantedTopology, observed: ObservedTopology, topic: Topic | undefined) {
  if (topic) return planTopology(wanted, { ...observed, topic }).policy;
  throw failure("topic-not-visible", `${topicArn(wanted)} was made and is not visible yet`, {
    hint: "run again in a moment: it goes on from there",
  });
}

async function confirmation(
  context: Context,
  wanted: WantedTopology,
  sns: Sns,
  subscriptionArn: string,
  wait: boolean,
): Promise<"confirmed" | "pending"> {
  const { world, out } = context;
  const state = async (): Promise<"confirmed" | "pending"> => {
    const attributes = await sns.subscriptionAttributes(subscriptionArn);
    return attributes.PendingConfirmation === "true" ? "pending" : "confirmed";
  };
  let now = await state();
  if (now === "confirmed" || !wait) return now;

  const timeout = context.timeout(CONFIRMATION_TIMEOUT_MS);
  const started = world.clock.now();
  const progress = await startProgress(
    out,
    `waiting for ${wanted.endpoint} to confirm (at most ${formatDuration(timeout)})`,
  );
  try {
    while (now === "pending" && world.clock.now() - started < timeout) {
      await world.clock.sleep(CONFIRMATION_POLL_MS, world.signal);
      now = await state();
      progress.update(
        `waiting for ${wanted.endpoint} to confirm, ${formatDuration(world.clock.now() - started)}`,
      );
    }
  } finally {
    progress.stop();
  }
  return now;
}
