import { randomUUID } from "node:crypto";
import { isMissing } from "../aws/errors.ts";
import type { Place } from "../aws/places.ts";
import { createSns } from "../aws/sns.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { askServe } from "../serve/telling/client.ts";

/** A part of the way of a message from the topic to what `serve` decides. */
export interface Step {
  name: "subscribed" | "published" | "received" | "verified" | "decided";
  ok: boolean;
  /** Since the message was published; serve's own clock from `received` on. */
  afterMs?: number;
  detail?: string;
}

const TIMEOUT_MS = 60_000;
const POLL_MS = 1_000;

/** Publishes a message that asks for nothing, and follows it; stops at the step at which it got lost. */
export async function follow(
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

/** What to look at where a step fails. */
export const HINTS: Readonly<Record<Step["name"], readonly string[]>> = {
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
