import type { Logger } from "pino";
import type { QueueMessage, Sqs } from "../../aws/sqs.ts";
import { childSignal } from "../../child-signal.ts";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import type { Dispatch } from "./dispatch.ts";

export interface Receiver {
  sqs: Sqs;
  queueUrl: string;
  dispatch: Dispatch;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
  /** Told why the queue cannot be received from, and undefined when it can again. */
  report(problem: string | undefined): void;
}

/** A message that is being applied stays hidden for so long, and is hidden again at half of it. */
const VISIBILITY_S = 60;
const WAIT_S = 20;
/** A message that failed comes back after that, and twice as late each time. */
const RETRY_S = 30;
const MAX_RETRY_S = 900;
const ERROR_WAIT_MS = 5_000;
const MAX_UNDER_WAY = 200;

/** Receives from one queue until it is told to stop; what is not settled then comes again. */
export async function receiveFrom(receiver: Receiver): Promise<void> {
  const { sqs, queueUrl, clock, signal, log } = receiver;
  const underWay = new Set<Promise<void>>();
  while (!signal.aborted) {
    if (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
    try {
      const messages = await sqs.receive(queueUrl, VISIBILITY_S, WAIT_S, signal);
      receiver.report(undefined);
      for (const message of messages) {
        const work: Promise<void> = handle(receiver, message).finally(() => underWay.delete(work));
        underWay.add(work);
      }
    } catch (error) {
      if (signal.aborted) break;
      receiver.report(messageOf(error));
      log.error({ queue: queueUrl, problem: messageOf(error) }, "cannot receive; trying again");
      await clock.sleep(ERROR_WAIT_MS, signal).catch(() => {});
    }
  }
}

/** Deleted when it is settled; hidden again and again until then. */
async function handle({ sqs, queueUrl, dispatch, clock, signal, log }: Receiver, message: QueueMessage) {
  const { signal: stop, end } = childSignal(signal);
  const keepHidden = async () => {
    while (!stop.aborted) {
      await clock.sleep((VISIBILITY_S / 2) * 1_000, stop);
      await sqs.hide(queueUrl, message.receipt, VISIBILITY_S);
    }
  };
  const hiding = keepHidden().catch((error) => {
    if (!stop.aborted) log.warn({ problem: messageOf(error) }, "the message may be delivered twice");
  });
  try {
    const fate = await dispatch.receiveQueued(message.body, message.id);
    end();
    await hiding;
    if (fate && fate.outcome !== "failed") await sqs.deleteMessage(queueUrl, message.receipt);
    else await sqs.hide(queueUrl, message.receipt, retryAfter(message.receives));
  } catch (error) {
    // It comes again when its time is over.
    if (!signal.aborted) log.error({ id: message.id, problem: messageOf(error) }, "message not settled");
  } finally {
    end();
  }
}

function retryAfter(receives: number): number {
  return Math.min(MAX_RETRY_S, RETRY_S * 2 ** Math.min(receives - 1, 10));
}
