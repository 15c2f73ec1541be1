import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Account } from "../clouddriver/client.ts";
import { messageOf } from "../errors.ts";
import { type Decision, decide } from "../events/decide.ts";
import { parseEvent } from "../events/event.ts";
import type { SnsMessage } from "../events/message.ts";
import { type VerificationPolicy, verifyMessage } from "../events/verify.ts";
import type { Apply } from "./apply.ts";
import { createMemory, type Fate } from "./memory.ts";

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

/** Takes message bodies and answers each; `fate` tells what became of a message id. */
export function createDispatch(dispatcher: Dispatcher) {
  const { clock, log, policy } = dispatcher;
  const memory = createMemory(clock);
  const open = new Map<string, Promise<Fate>>();

  return {
    fate: memory.recall,
    open: () => open.size,

    async receive(body: string, signal: AbortSignal): Promise<Reception> {
      const verification = await verifyMessage(body, policy);
      if (verification.result !== "valid") {
        const { result, reason } = verification;
        log.warn({ outcome: result, reason }, "message refused");
        return { status: { "no-message": 400, invalid: 403, unavailable: 503 }[result], reason };
      }
      const { message } = verification;
      const done = memory.recall(message.MessageId);
      if (done && done.outcome !== "failed") return { status: 200, reason: `duplicate: ${done.outcome}` };

      const work = open.get(message.MessageId) ?? begin(message);
      if (work === undefined) return { status: 503, reason: "too many messages are open" };
      const late = new AbortController();
      const timeout = clock.sleep(ANSWER_WITHIN_MS, AbortSignal.any([late.signal, signal])).catch(() => {});
      // SNS gives up on an answer after 15 s; its next try joins the work or finds it done.
      const fate = await Promise.race([work, timeout]);
      late.abort();
      if (!fate) return { status: 503, reason: "still being applied" };
      return { status: STATUS[fate.outcome], reason: fate.reason };
    },
  };

  function begin(message: SnsMessage): Promise<Fate> | undefined {
    if (open.size >= MAX_OPEN) return undefined;
    const receivedAt = clock.now();
    const work = settle(message).then((fate) => {
      const tookMs = clock.now() - receivedAt;
      log.info({ id: message.MessageId, type: message.Type, ...fate, tookMs }, "message settled");
      memory.remember(message.MessageId, { ...fate, receivedAt, settledAt: clock.now() });
      open.delete(message.MessageId);
      return fate;
    });
    open.set(message.MessageId, work);
    return work;
  }

  async function settle(message: SnsMessage): Promise<Fate> {
    try {
      return await handle(message);
    } catch (error) {
      return { outcome: "failed", reason: messageOf(error) };
    }
  }

  async function handle(message: SnsMessage): Promise<Fate> {
    if (message.Type === "SubscriptionConfirmation") {
      await dispatcher.confirm(message.TopicArn, message.Token ?? "");
      return { outcome: "confirmed", reason: `subscribed to ${message.TopicArn}` };
    }
    if (message.Type === "UnsubscribeConfirmation") {
      log.warn({ topic: message.TopicArn }, "somebody unsubscribed this endpoint: no more events will come");
      return { outcome: "ignored", reason: "the subscription was removed" };
    }
    const event = parseEvent(message.Message);
    // What is irrelevant by itself needs no Clouddriver to say so.
    const decision: Decision =
      "ignored" in event ? decide(event, []) : decide(event, await dispatcher.accounts());
    if (decision.outcome === "ignore") return { outcome: "ignored", reason: decision.reason };
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
    };
  }
}
