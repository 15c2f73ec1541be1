import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Clock } from "../../../clock.ts";
import type { EnvelopeType } from "./envelope.ts";

/** One attempt to hand a message to an endpoint; `at` in ms of the sandbox's clock, when the attempt began. */
export interface Delivery {
  messageId: string;
  type: EnvelopeType;
  topicArn: string;
  subscriptionArn: string;
  endpoint: string;
  /** 1 for the first try. */
  attempt: number;
  /** HTTP status; absent when no answer came. */
  status?: number;
  error?: string;
  at: number;
}

/** A message for one HTTP(S) endpoint. */
export interface Letter
  extends Pick<Delivery, "messageId" | "type" | "topicArn" | "subscriptionArn" | "endpoint"> {
  headers: Record<string, string>;
  body: string;
  /** Waits in ms before each retry. */
  delays: readonly number[];
  /** Asked before each try; false ends the delivery silently. */
  wanted(): boolean;
  /** Called when the last try has failed. */
  exhausted(): void;
}

/** SNS waits this long for an answer (SNS developer guide, prepare an HTTP/S endpoint). */
const ANSWER_TIMEOUT_MS = 15_000;

/**
 * Posts `letter` until an endpoint answers with 2xx to 4xx, which SNS takes for delivered (redirects are not
 * followed), or the retries are used up. Each finished try is handed to `record`.
 */
export async function deliver(
  letter: Letter,
  clock: Clock,
  closing: AbortSignal,
  record: (delivery: Delivery) => void,
): Promise<void> {
  const { messageId, type, topicArn, subscriptionArn, endpoint, delays } = letter;
  for (let attempt = 1; attempt <= delays.length + 1; attempt++) {
    const delay = delays[attempt - 2] ?? 0;
    if (delay > 0) await clock.sleep(delay, closing);
    if (!letter.wanted()) return;
    const at = clock.now();
    const outcome = await tryOnce(letter, clock, closing);
    closing.throwIfAborted();
    record({ messageId, type, topicArn, subscriptionArn, endpoint, attempt, ...outcome, at });
    if (outcome.status !== undefined && outcome.status >= 200 && outcome.status < 500) return;
  }
  letter.exhausted();
}

async function tryOnce(letter: Letter, clock: Clock, closing: AbortSignal) {
  const late = new AbortController();
  const answered = new AbortController();
  const timeout = clock.sleep(ANSWER_TIMEOUT_MS, AbortSignal.any([closing, answered.signal])).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    return { status: await post(letter, AbortSignal.any([closing, late.signal])) };
  } catch (error) {
    return { error: late.signal.aborted ? "no answer within 15 s" : String(error) };
  } finally {
    answered.abort();
    await timeout;
  }
}

function post({ endpoint, headers, body }: Letter, signal: AbortSignal): Promise<number> {
  const url = new URL(endpoint);
  // The sandbox must never send anything to a real host, whatever endpoint it was given.
  if (!["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) {
    return Promise.reject(new Error(`the sandbox reaches loopback endpoints only, not ${url.hostname}`));
  }
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const outgoing = request(
      url,
      { method: "POST", agent: false, signal, headers: { ...headers, "content-length": length } },
      (answer) => {
        answer.on("error", () => undefined).resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    outgoing.on("error", reject).end(body);
  });
}
