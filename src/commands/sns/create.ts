import { type Place, placesOf } from "../../aws/places.ts";
import { createSns, type Sns, type Topic } from "../../aws/sns.ts";
import { createSqs, type Sqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { EXIT, failure, usageError } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { type Attributes, outdated } from "../../sns/attributes.ts";
import { observe } from "../../sns/observe.ts";
import {
  type ObservedQueue,
  type ObservedTopology,
  planTopology,
  type TopologyPlan,
  unconfirmedHints,
} from "../../sns/plan.ts";
import {
  deadLetterQueueName,
  eventQueueName,
  ownershipTags,
  topicArn,
  usesQueue,
  type WantedTopology,
} from "../../sns/topology.ts";
import { describeChange } from "../change-lines.ts";
import { type ApplyOptions, applyInPlaces, type PlaceResult } from "../in-places.ts";
import { type SnsOptions, wantedTopology } from "./options.ts";

export interface SnsCreateOptions extends SnsOptions, ApplyOptions {
  /** False with --no-wait. */
  wait?: boolean | undefined;
  export?: "cloudformation" | undefined;
}

const CONFIRMATION_TIMEOUT_MS = 180_000;
const CONFIRMATION_POLL_MS = 2_000;

/** `aec sns create`: topic, policy, queues and subscription as wanted; run again, it repairs. */
export async function run(context: Context, options: SnsCreateOptions): Promise<CommandResult> {
  const wantedIn = wantedTopology(context, options);
  if (wantedIn({ accountId: "", partition: "", region: "" }).endpoint === undefined) {
    throw usageError("no-endpoint", "no endpoint is named", {
      hint: "add --endpoint https://GATE/aws/notify, set notify.endpoint in aec.yml, or use --protocol sqs",
    });
  }
  if (options.export) {
    const { topologyTemplate } = await import("../../sns/template.ts");
    return topologyTemplate(wantedIn);
  }
  const propose = async (place: Place) => {
    const wanted = wantedIn(place);
    const sns = createSns(context, place);
    const sqs = createSqs(context, place);
    const observed = await observe(wanted, sns, sqs);
    const plan = planTopology(wanted, observed);
    const { changes } = plan;
    const differs = changes.some(({ action }) => action !== "none");
    return {
      data: { region: wanted.region, topicArn: topicArn(wanted), changes },
      lines: changes.map(describeChange),
      differs,
      apply: async (): Promise<PlaceResult> => {
        const applied = await applyTopology(wanted, observed, plan, sns, sqs);
        const wait = options.wait !== false;
        const state = await confirmation(context, wanted, sns, applied.subscriptionArn, wait);
        return created(wanted, plan, applied, state, wait);
      },
    };
  };
  return applyInPlaces(context, await placesOf(context, options), propose, options);
}

function created(
  wanted: WantedTopology,
  { changes }: TopologyPlan,
  { subscriptionArn, queueUrl }: AppliedTopology,
  state: "confirmed" | "pending",
  waited: boolean,
): PlaceResult {
  const arn = topicArn(wanted);
  const timedOut = state === "pending" && waited;
  const hints = timedOut ? unconfirmedHints(wanted) : [];
  return {
    data: {
      region: wanted.region,
      topicArn: arn,
      subscriptionArn,
      ...(queueUrl !== undefined && { queueUrl }),
      state,
      changes,
      hints,
    },
    exit: timedOut ? EXIT.timeout : EXIT.ok,
    text: (paint) =>
      [
        changes.every(({ action }) => action === "none") ? "Everything is as wanted: nothing to change." : "",
        `topic         ${arn}`,
        ...(queueUrl === undefined ? [] : [`receive with  aec serve --queue-url ${queueUrl}`]),
        `subscription  ${wanted.endpoint}: ${state === "confirmed" ? paint.green(state) : paint.yellow(state)}`,
        ...hints.map((hint) => `  look at: ${hint}`),
      ]
        .filter(Boolean)
        .join("\n"),
  };
}

interface AppliedTopology {
  subscriptionArn: string;
  /** Of the event queue, where the topic delivers into one. */
  queueUrl: string | undefined;
}

/** Applies in an order in which each step finds what it needs. */
async function applyTopology(
  wanted: WantedTopology,
  observed: ObservedTopology,
  plan: TopologyPlan,
  sns: Sns,
  sqs: Sqs,
): Promise<AppliedTopology> {
  const arn = topicArn(wanted);
  const tags = ownershipTags(wanted.environment);
  const queue = async (
    name: string,
    found: ObservedQueue | undefined | "not-read",
    attributes: Attributes,
  ) => {
    if (found === "not-read") return undefined;
    if (found === undefined) return sqs.createQueue(name, attributes, tags);
    const stale = outdated(attributes, found.attributes);
    if (stale.length > 0) await sqs.setAttributes(found.url, Object.fromEntries(stale));
    return found.url;
  };
  await queue(deadLetterQueueName(wanted), observed.deadLetterQueue, plan.deadLetterQueueAttributes);
  const queueUrl = await queue(eventQueueName(wanted), observed.eventQueue, plan.eventQueueAttributes);
  if (!observed.topic) await sns.createTopic(wanted.topicName, tags);
  for (const [name, value] of outdated(plan.topicAttributes, observed.topic?.attributes ?? {})) {
    await sns.setTopicAttribute(arn, name, value);
  }
  if (plan.policy) {
    // A new topic comes with AWS's owner statement, which has to stay: our statements are added to what is there now.
    const document = observed.topic ? plan.policy : policyOfNewTopic(wanted, observed, await sns.topic(arn));
    if (document) await sns.setTopicAttribute(arn, "Policy", JSON.stringify(document));
  }

  const known = observed.subscription?.arn;
  if (known === undefined) {
    const endpoint = wanted.endpoint ?? "";
    return { subscriptionArn: await sns.subscribe(arn, endpoint, plan.subscriptionAttributes), queueUrl };
  }
  for (const [name, value] of outdated(
    plan.subscriptionAttributes,
    observed.subscription?.attributes ?? {},
  )) {
    await sns.setSubscriptionAttribute(known, name, value);
  }
  return { subscriptionArn: known, queueUrl };
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
  if (now === "confirmed" || !wait || usesQueue(wanted)) return now;

  const timeout = context.timeout(CONFIRMATION_TIMEOUT_MS);
  const started = world.clock.now();
  const waiting = `waiting for ${wanted.endpoint} to confirm in ${wanted.region}`;
  const progress = await startProgress(out, `${waiting} (at most ${formatDuration(timeout)})`);
  try {
    while (now === "pending" && world.clock.now() - started < timeout) {
      await world.clock.sleep(CONFIRMATION_POLL_MS, world.signal);
      now = await state();
      progress.update(`${waiting}, ${formatDuration(world.clock.now() - started)}`);
    }
  } finally {
    progress.stop();
  }
  return now;
}
