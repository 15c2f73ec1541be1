import { randomUUID } from "node:crypto";
import { isMissing } from "../../aws/errors.ts";
import { type Place, type PlaceOptions, placesOf } from "../../aws/places.ts";
import { createSns } from "../../aws/sns.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { askServe } from "../../serve/client.ts";
import { topicArn } from "../../sns/topology.ts";
import { type PlaceResult, readInPlaces } from "../in-places.ts";
import { type SnsOptions, topicOf } from "./options.ts";

export interface SnsTestOptions extends PlaceOptions, Pick<SnsOptions, "topicName"> {}

interface Step {
  name: "subscribed" | "published" | "received" | "verified" | "decided";
  ok: boolean;
  /** Since the message was published; serve's own clock from `received` on. */
  afterMs?: number;
  detail?: string;
}

const TIMEOUT_MS = 60_000;
const POLL_MS = 1_000;

/** `aec sns test`: a message that asks for nothing goes the way of an event; names the step at which it got lost. */
export async function run(context: Context, options: SnsTestOptions): Promise<CommandResult> {
  const { environment, topicName } = topicOf(context, options);
  return readInPlaces(await placesOf(context, options), async (place): Promise<PlaceResult> => {
    const { region } = place;
    const arn = topicArn({ ...place, topicName });
    const { messageId, steps } = await follow(context, place, arn, environment);
    const failed = steps.find(({ ok }) => !ok);
    const followed = context.settings.serve.value !== undefined;
    return {
      data: { region, topicArn: arn, messageId: messageId ?? null, steps, failed: failed?.name ?? null },
      exit: failed ? (failed.name === "received" ? EXIT.timeout : EXIT.failed) : EXIT.ok,
      text: (paint) =>
        [
          ...steps.map(({ name, ok, afterMs, detail }) =>
            [
              name.padEnd(11),
              ok ? paint.green("ok") : paint.red("failed"),
              ...(afterMs === undefined ? [] : [`after ${formatDuration(afterMs)}`]),
              ...(detail ? [detail] : []),
            ].join(" "),
          ),
          ...(failed
            ? HINTS[failed.name].map((hint) => `  look at: ${hint}`)
            : followed
              ? []
              : ["It was not followed further: add --serve-url, the admin address of aec serve."]),
        ].join("\n"),
    };
  });
}

async function follow(
  context: Context,
  place: Place,
  arn: string,
  environment: string,
): Promise<{ messageId?: string; steps: Step[] }> {
  const { clock, signal } = context.world;
  const sns = createSns(context, place);
  const subscriptions = await sns.subscriptions(arn).catch((error) => {
    if (isMissing(error, /NotFound/)) return undefined;
    throw error;
  });
  const confirmed = subscriptions?.filter((subscription) => subscription.arn) ?? [];
  if (confirmed.length === 0) {
    const detail = subscriptions ? "nobody has confirmed a subscription" : `there is no topic ${arn}`;
    return { steps: [{ name: "subscribed", ok: false, detail }] };
  }
  const steps: Step[] = [
    { name: "subscribed", ok: true, detail: confirmed.map(({ endpoint }) => endpoint).join(", ") },
  ];
  const publishedAt = clock.now();
  const message = { aec: "test", environment, id: randomUUID(), at: new Date(publishedAt).toISOString() };
  const messageId = await sns.publish(arn, JSON.stringify(message));
  steps.push({ name: "published", ok: true, afterMs: clock.now() - publishedAt });
  if (context.settings.serve.value === undefined) return { messageId, steps };

  const timeout = context.timeout(TIMEOUT_MS);
  for (;;) {
    const fate = await askServe(context, `/events/${messageId}`);
    if (fate && fate.outcome !== "open")
      return { messageId, steps: [...steps, ...stepsOf(fate, publishedAt)] };
    if (clock.now() - publishedAt > timeout) break;
    await clock.sleep(POLL_MS, signal);
  }
  const detail = `aec serve has not seen ${messageId} within ${formatDuration(timeout)}`;
  return { messageId, steps: [...steps, { name: "received", ok: false, detail }] };
}

function stepsOf(fate: Record<string, unknown>, publishedAt: number): Step[] {
  const after = (value: unknown) =>
    typeof value === "number" ? { afterMs: Math.max(0, value - publishedAt) } : {};
  const received: Step = { name: "received", ok: true, ...after(fate.receivedAt) };
  if (fate.outcome === "refused") {
    return [received, { name: "verified", ok: false, detail: String(fate.reason) }];
  }
  return [
    received,
    { name: "verified", ok: true, ...after(fate.verifiedAt), detail: `signature ${fate.signature}` },
    fate.outcome === "failed"
      ? { name: "decided", ok: false, detail: String(fate.reason) }
      : { name: "decided", ok: true, ...after(fate.decidedAt), detail: String(fate.reason) },
  ];
}

const HINTS: Readonly<Record<Step["name"], readonly string[]>> = {
  subscribed: ["aec sns create, and is what it waits for running?"],
  published: [],
  received: [
    "does the subscription lead to this aec serve (aec sns status)?",
    "does a filter of somebody else's on the subscription drop it?",
    "undelivered messages: aec sns status --deep",
  ],
  verified: ["was aec serve started with this topic (--topic-arn)?"],
  decided: ["the log of aec serve"],
};
