import { type Place, type PlaceOptions, placesOf } from "../../aws/places.ts";
import { createSqs, type Queue, type Sqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { createLog } from "../../serve/log.ts";
import type { Dispatch } from "../../serve/receiving/dispatch.ts";
import type { Mode } from "../../serve/running/apply.ts";
import { chooseMode, openScheduler } from "../../serve/scheduler.ts";
import { deadLetterQueueName, topicArn } from "../../sns/topology.ts";
import { type ApplyOptions, applyInPlaces, type PlaceResult, type Proposal } from "../in-places.ts";
import { type SnsOptions, topicOf } from "./options.ts";

export interface SnsRedriveOptions extends PlaceOptions, ApplyOptions, Pick<SnsOptions, "topicName"> {
  mode?: Mode | undefined;
}

interface Settled {
  id: string;
  outcome: string;
  reason: string;
}

/** Longer than the work of ten messages. */
const VISIBILITY_S = 300;
const WAIT_S = 1;
const DEBOUNCE_MS = 2_000;

/** `aec sns redrive`: what could not be delivered is applied by the code of `serve`, and deleted when it is settled. */
export async function run(context: Context, options: SnsRedriveOptions): Promise<CommandResult> {
  const { topicName } = topicOf(context, options);
  const places = await placesOf(context, options);
  const scheduler = await openScheduler(context, {
    mode: chooseMode(options.mode, context.settings.lockStore.value),
    topics: places.map((place) => topicArn({ ...place, topicName })),
    debounceMs: DEBOUNCE_MS,
    requireVersion2: false,
    log: createLog(context, "warn"),
  });
  const propose = async (place: Place): Promise<Proposal> => {
    const sqs = createSqs(context, place);
    const queue = await sqs.queue(deadLetterQueueName({ topicName }));
    const waiting = Number(queue?.attributes.ApproximateNumberOfMessages ?? 0);
    const data = { region: place.region, queue: queue?.arn ?? null, waiting };
    return {
      data,
      lines: [queue ? `apply ${waiting} messages of ${queue.arn}` : "there is no dead-letter queue"],
      differs: waiting > 0,
      apply: async () => {
        const settled = queue && waiting > 0 ? await drain(context, sqs, queue, scheduler.dispatch) : [];
        return redriven(data, settled);
      },
    };
  };
  try {
    return await applyInPlaces(context, places, propose, options);
  } finally {
    await scheduler.close();
  }
}

/** Until the queue is empty, or nothing of what it gives can be settled; what fails stays hidden until the end. */
async function drain({ world }: Context, sqs: Sqs, { url }: Queue, dispatch: Dispatch): Promise<Settled[]> {
  const all: Settled[] = [];
  const failed: string[] = [];
  try {
    for (;;) {
      const round = await drainRound(world.signal, sqs, url, dispatch, failed);
      all.push(...round);
      if (round.every(({ outcome }) => outcome === "failed")) return all;
    }
  } finally {
    await Promise.allSettled(failed.map((receipt) => sqs.hide(url, receipt, 0)));
  }
}

async function drainRound(
  signal: AbortSignal,
  sqs: Sqs,
  url: string,
  dispatch: Dispatch,
  failed: string[],
): Promise<Settled[]> {
  const messages = await sqs.receive(url, VISIBILITY_S, WAIT_S, signal);
  return Promise.all(
    messages.map(async ({ id, body, receipt }): Promise<Settled> => {
      const fate = await dispatch.receiveQueued(body, id);
      if (!fate || fate.outcome === "failed") {
        failed.push(receipt);
        return { id, outcome: "failed", reason: fate?.reason ?? "too many messages are open" };
      }
      await sqs.deleteMessage(url, receipt);
      return { id, outcome: fate.outcome, reason: fate.reason };
    }),
  );
}

function redriven(data: object, settled: readonly Settled[]): PlaceResult {
  const failed = settled.filter(({ outcome }) => outcome === "failed").length;
  const outcomes = [...new Set(settled.map(({ outcome }) => outcome))];
  return {
    data: { ...data, messages: settled },
    exit: failed === 0 ? EXIT.ok : failed === settled.length ? EXIT.failed : EXIT.partial,
    text: (paint) =>
      settled.length === 0
        ? "No message waits."
        : [
            ...settled.map(({ id, outcome, reason }) => {
              const word = outcome.padEnd(9);
              return `${outcome === "failed" ? paint.red(word) : paint.green(word)} ${id}  ${reason}`;
            }),
            outcomes
              .map((one) => `${settled.filter(({ outcome }) => outcome === one).length} ${one}`)
              .join(", "),
          ].join("\n"),
  };
}
