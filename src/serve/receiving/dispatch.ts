import type { Logger } from "pino";
import { childSignal } from "../../child-signal.ts";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import { isResourceEvent } from "../../events/event.ts";
import { parseMessage, type SnsMessage } from "../../events/message.ts";
import { parseEvent } from "../../events/parse.ts";
import { type VerificationPolicy, verifyMessage } from "../../events/verify.ts";
import type { Watcher } from "../watcher.ts";
import type { Incoming } from "./handle.ts";
import { createMemory, type Fate, type Refusal } from "./memory.ts";

export interface Dispatcher {
  policy: VerificationPolicy;
  handle(message: Incoming): Promise<Fate>;
  watcher: Watcher;
  clock: Clock;
  log: Logger;
}

/** What is to be answered: at once, or when the work is done. */
export interface Reception {
  status: number;
  reason: string;
}

const ANSWER_WITHIN_MS = 12_000;
const MAX_OPEN = 2_000;

const STATUS: Readonly<Record<Fate["outcome"], number>> = {
  applied: 200,
  stale: 200,
  ignored: 200,
  confirmed: 200,
  failed: 503,
};

/** Takes message bodies and answers each; `fate` tells what became of a message id. */
export function createDispatch({ policy, handle, watcher, clock, log }: Dispatcher) {
  const memory = createMemory(clock);
  const open = new Map<string, { work: Promise<Fate>; receivedAt: number }>();

  return {
    /** What became of a message; one that is under way is `open`, one that was not taken `refused`. */
    fate(id: string): Fate | Refusal | { outcome: "open"; receivedAt: number } | undefined {
      const underWay = open.get(id);
      if (underWay) return { outcome: "open", receivedAt: underWay.receivedAt };
      return memory.recall(id) ?? memory.refusal(id);
    },
    open: () => open.size,

    /** A body that came over HTTP from anybody. */
    async receive(body: string, signal: AbortSignal): Promise<Reception> {
      const receivedAt = clock.now();
      const verification = await verifyMessage(body, policy);
      if (verification.result !== "valid") {
        const { result, reason } = verification;
        log.warn({ outcome: result, reason }, "message refused");
        watcher.refused(result);
        const claimed = parseMessage(body);
        if (!("reason" in claimed)) memory.refuse(claimed.MessageId, reason);
        return { status: { "no-message": 400, invalid: 403, unavailable: 503 }[result], reason };
      }
      const { message } = verification;
      const done = memory.recall(message.MessageId);
      if (done && done.outcome !== "failed") return { status: 200, reason: `duplicate: ${done.outcome}` };

      const begun = begin(incoming(message, { body, via: "http", receivedAt, signature: "valid" }));
      if (begun === undefined) return { status: 503, reason: "too many messages are open" };
      if (!(begun instanceof Promise)) return receptionOf(begun);
      const late = childSignal(signal);
      const timeout = clock.sleep(ANSWER_WITHIN_MS, late.signal).catch(() => {});
      // SNS gives up on an answer after 15 s; its next try joins the work or finds it done.
      const fate = await Promise.race([begun, timeout]);
      late.end();
      return fate ? receptionOf(fate) : { status: 503, reason: "still being applied" };
    },

    /**
     * A body from a queue: an SNS envelope, or what EventBridge put there itself. Who may send to the queue decides,
     * so that the signature is checked and reported, and age does not matter. Undefined: too much is under way.
     */
    async receiveQueued(body: string, queueMessageId: string): Promise<Fate | undefined> {
      const receivedAt = clock.now();
      const message = parseMessage(body);
      const done = memory.recall("reason" in message ? queueMessageId : message.MessageId);
      if (done && done.outcome !== "failed") return done;
      const came = { body, via: "sqs", receivedAt } as const;
      return begin(
        "reason" in message
          ? {
              ...came,
              id: queueMessageId,
              type: "Notification",
              event: parseEvent(body),
              topicArn: "",
              token: "",
              signature: "none: no SNS envelope",
            }
          : incoming(message, { ...came, signature: signatureOf(body, message) }),
      );
    },
  };

  async function signatureOf(body: string, { TopicArn }: SnsMessage): Promise<string> {
    if (!policy.topics.has(TopicArn)) return `not checked: ${TopicArn} is not in --topic-arn`;
    const verification = await verifyMessage(body, { ...policy, anyAge: true });
    return verification.result === "valid" ? "valid" : verification.reason;
  }

  /** The fate of what asks for nothing, at once; of anything else later. */
  function begin(message: Incoming): Fate | Promise<Fate> | undefined {
    const known = open.get(message.id);
    if (known) return known.work;
    const { id, event, signature, receivedAt } = message;
    const verifiedAt = clock.now();
    if (event !== undefined && "ignored" in event && typeof signature === "string") {
      const settled: Fate = { outcome: "ignored", reason: event.ignored, decidedAt: verifiedAt };
      return conclude(message, settled, verifiedAt, signature);
    }
    if (open.size >= MAX_OPEN) return undefined;
    const work = handle(message)
      .catch((error): Fate => ({ outcome: "failed", reason: messageOf(error) }))
      .then(async (fate) => conclude(message, fate, verifiedAt, await signature));
    open.set(id, { work, receivedAt });
    return work;
  }

  function conclude(message: Incoming, settled: Fate, verifiedAt: number, signature: string): Fate {
    const { id, body, via, type, event, receivedAt, topicArn } = message;
    const fate = { ...settled, receivedAt, verifiedAt, settledAt: clock.now(), signature };
    memory.remember(id, fate);
    open.delete(id);
    const beat = event && "ignored" in event ? event.heartbeat : undefined;
    if (beat) watcher.heartbeat(beat.path, Math.max(0, receivedAt - beat.sentAt), receivedAt, topicArn);
    watcher.settled({ id, body, via, fate, event: event && isResourceEvent(event) ? event : undefined });
    const tookMs = fate.settledAt - receivedAt;
    const { outcome, reason, work, changedAt } = fate;
    log.info({ id, type, outcome, reason, work, changedAt, signature, tookMs }, "message settled");
    return fate;
  }
}

function receptionOf({ outcome, reason }: Fate): Reception {
  return { status: STATUS[outcome], reason };
}

function incoming(
  { MessageId: id, Type: type, Message, TopicArn: topicArn, Token: token = "" }: SnsMessage,
  came: Pick<Incoming, "body" | "via" | "receivedAt" | "signature">,
): Incoming {
  const event = type === "Notification" ? parseEvent(Message) : undefined;
  return { ...came, id, type, event, topicArn, token };
}

export type Dispatch = ReturnType<typeof createDispatch>;
