import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Account } from "../clouddriver/accounts.ts";
import { messageOf } from "../errors.ts";
import { type Decision, decide } from "../events/decide.ts";
import { parseEvent } from "../events/event.ts";
import { parseMessage, type SnsMessage } from "../events/message.ts";
import { type VerificationPolicy, verifyMessage } from "../events/verify.ts";
import type { Apply } from "./apply.ts";
import { createMemory, type Fate, type Refusal } from "./memory.ts";

export interface Dispatcher {
  policy: VerificationPolicy;
  accounts(): Promise<Account[]>;
  apply: Apply;
  /** Confirms a subscription by the signed API call. */
  confirm(topicArn: string, token: string): Promise<unknown>;
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

/** A message whose sender is known. */
interface Incoming {
  id: string;
  type: SnsMessage["Type"];
  text: string;
  topicArn: string;
  token: string;
  receivedAt: number;
  /** Known later where nothing depends on it. */
  signature: Promise<string>;
}

/** Takes message bodies and answers each; `fate` tells what became of a message id. */
export function createDispatch(dispatcher: Dispatcher) {
  const { clock, log, policy } = dispatcher;
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
        const claimed = parseMessage(body);
        if (!("reason" in claimed)) memory.refuse(claimed.MessageId, reason);
        return { status: { "no-message": 400, invalid: 403, unavailable: 503 }[result], reason };
      }
      const { message } = verification;
      const done = memory.recall(message.MessageId);
      if (done && done.outcome !== "failed") return { status: 200, reason: `duplicate: ${done.outcome}` };

      const work = begin(incoming(message, receivedAt, Promise.resolve("valid")));
      if (work === undefined) return { status: 503, reason: "too many messages are open" };
      const late = new AbortController();
      const timeout = clock.sleep(ANSWER_WITHIN_MS, AbortSignal.any([late.signal, signal])).catch(() => {});
      // SNS gives up on an answer after 15 s; its next try joins the work or finds it done.
      const fate = await Promise.race([work, timeout]);
      late.abort();
      if (!fate) return { status: 503, reason: "still being applied" };
      return { status: STATUS[fate.outcome], reason: fate.reason };
    },

    /**
     * A body from a queue: an SNS envelope, or what EventBridge put there itself. Who may send to the queue decides,
     * so that the signature is checked and reported, and age does not matter. Undefined: too much is under way.
     */
    async receiveQueued(body: string, queueMessageId: string): Promise<Fate | undefined> {
      const receivedAt = clock.now();
      const message = parseMessage(body);
      const bare = { text: body, type: "Notification", topicArn: "", token: "", id: queueMessageId } as const;
      const taken: Incoming =
        "reason" in message
          ? { ...bare, receivedAt, signature: Promise.resolve("none: no SNS envelope") }
          : incoming(message, receivedAt, signatureOf(body, message));
      const done = memory.recall(taken.id);
      if (done && done.outcome !== "failed") return done;
      return begin(taken);
    },
  };

  async function signatureOf(body: string, { TopicArn }: SnsMessage): Promise<string> {
    if (!policy.topics.has(TopicArn)) return `not checked: ${TopicArn} is not in --topic-arn`;
    const verification = await verifyMessage(body, { ...policy, anyAge: true });
    return verification.result === "valid" ? "valid" : verification.reason;
  }

  function begin(message: Incoming): Promise<Fate> | undefined {
    const known = open.get(message.id);
    if (known) return known.work;
    if (open.size >= MAX_OPEN) return undefined;
    const { receivedAt } = message;
    const verifiedAt = clock.now();
    const work = settle(message).then(async (settled) => {
      const signature = await message.signature;
      const fate = { ...settled, receivedAt, verifiedAt, settledAt: clock.now(), signature };
      const tookMs = fate.settledAt - receivedAt;
      const { outcome, reason, work: items, changedAt } = settled;
      log.info(
        { id: message.id, type: message.type, outcome, reason, work: items, changedAt, signature, tookMs },
        "message settled",
      );
      memory.remember(message.id, fate);
      open.delete(message.id);
      return fate;
    });
    open.set(message.id, { work, receivedAt });
    return work;
  }

  async function settle(message: Incoming): Promise<Fate> {
    try {
      return await handle(message);
    } catch (error) {
      return { outcome: "failed", reason: messageOf(error) };
    }
  }

  async function handle({ type, text, topicArn, token, signature }: Incoming): Promise<Fate> {
    if (type === "SubscriptionConfirmation") {
      // A queue's trust is for events; only a proven topic may have this endpoint subscribed.
      const proof = await signature;
      if (proof !== "valid") return { outcome: "ignored", reason: `not confirmed: ${proof}` };
      await dispatcher.confirm(topicArn, token);
      return { outcome: "confirmed", reason: `subscribed to ${topicArn}` };
    }
    if (type === "UnsubscribeConfirmation") {
      log.warn({ topic: topicArn }, "somebody unsubscribed this endpoint: no more events will come");
      return { outcome: "ignored", reason: "the subscription was removed" };
    }
    const event = parseEvent(text);
    // What is irrelevant by itself needs no Clouddriver to say so.
    const decision: Decision =
      "ignored" in event ? decide(event, []) : decide(event, await dispatcher.accounts());
    const decidedAt = clock.now();
    if (decision.outcome === "ignore") return { outcome: "ignored", reason: decision.reason, decidedAt };
    const results = await Promise.all(decision.work.map((item) => dispatcher.apply(decision.event, item)));
    const worst =
      results.find(({ outcome }) => outcome === "failed") ??
      results.find(({ outcome }) => outcome === "stale") ??
      results[0];
    return {
      outcome: worst?.outcome ?? "applied",
      reason: worst?.detail ?? "",
      work: decision.work,
      changedAt: decision.event.at,
      decidedAt,
    };
  }
}

function incoming(message: SnsMessage, receivedAt: number, signature: Promise<string>): Incoming {
  const { MessageId: id, Type: type, Message: text, TopicArn: topicArn, Token: token = "" } = message;
  return { id, type, text, topicArn, token, receivedAt, signature };
}

export type Dispatch = ReturnType<typeof createDispatch>;
