import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Account } from "../clouddriver/accounts.ts";
import { messageOf } from "../errors.ts";
import { accountsUnder, decide } from "../events/decide.ts";
import { isResourceEvent, type Parsed, type ResourceEvent } from "../events/event.ts";
import { heartbeatOf } from "../events/heartbeat.ts";
import { parseMessage, type SnsMessage } from "../events/message.ts";
import { parseEvent } from "../events/parse.ts";
import { type VerificationPolicy, verifyMessage } from "../events/verify.ts";
import type { Apply } from "./apply.ts";
import { createMemory, type Fate, type Refusal } from "./memory.ts";
import { createNewest } from "./newest.ts";
import type { Watcher } from "./watcher.ts";

export interface Dispatcher {
  policy: VerificationPolicy;
  accounts(): Promise<Account[]>;
  apply: Apply;
  /** Confirms a subscription by the signed API call. */
  confirm(topicArn: string, token: string): Promise<unknown>;
  /** AWS throttles an account in a Region, or no longer. */
  pace(change: PaceChange): Promise<void>;
  watcher: Watcher;
  clock: Clock;
  log: Logger;
}

export interface PaceChange {
  /** Spinnaker's. */
  account: string;
  region: string;
  throttled: boolean;
  reason: string;
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
  body: string;
  via: "http" | "sqs";
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
  const { clock, log, policy, watcher } = dispatcher;
  const memory = createMemory(clock);
  const newest = createNewest();
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

      const work = begin({
        ...incoming(message, receivedAt, Promise.resolve("valid")),
        body,
        via: "http",
      });
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
      const read =
        "reason" in message
          ? { ...bare, receivedAt, signature: Promise.resolve("none: no SNS envelope") }
          : incoming(message, receivedAt, signatureOf(body, message));
      const taken: Incoming = { ...read, body, via: "sqs" };
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
    const event = message.type === "Notification" ? parseEvent(message.text) : undefined;
    const work = settle(message, event).then(async (settled) => {
      const signature = await message.signature;
      const fate = { ...settled, receivedAt, verifiedAt, settledAt: clock.now(), signature };
      const { id, body, via } = message;
      watcher.settled({
        id,
        body,
        via,
        fate,
        event: event && isResourceEvent(event) ? event : undefined,
      });
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

  async function settle(message: Incoming, event: Parsed | undefined): Promise<Fate> {
    try {
      return event === undefined ? await handleOwn(message) : await handle(message, event);
    } catch (error) {
      return { outcome: "failed", reason: messageOf(error) };
    }
  }

  /** What SNS says of the subscription itself. */
  async function handleOwn({ type, topicArn, token, signature }: Incoming): Promise<Fate> {
    if (type === "SubscriptionConfirmation") {
      // A queue's trust is for events; only a proven topic may have this endpoint subscribed.
      const proof = await signature;
      if (proof !== "valid") return { outcome: "ignored", reason: `not confirmed: ${proof}` };
      await dispatcher.confirm(topicArn, token);
      return { outcome: "confirmed", reason: `subscribed to ${topicArn}` };
    }
    log.warn({ topic: topicArn }, "somebody unsubscribed this endpoint: no more events will come");
    return { outcome: "ignored", reason: "the subscription was removed" };
  }

  async function handle({ text, receivedAt }: Incoming, event: Parsed): Promise<Fate> {
    if (!isResourceEvent(event)) return handleOther(event, text, receivedAt);
    newest.received(event);
    const outdated = newest.outdated(event);
    if (outdated) {
      return { outcome: "ignored", reason: `out of order: ${outdated}`, decidedAt: clock.now() };
    }
    const decision = decide(event, await dispatcher.accounts());
    const decidedAt = clock.now();
    if (decision.outcome === "ignore") return { outcome: "ignored", reason: decision.reason, decidedAt };
    if (decision.warning) log.warn({ problem: decision.warning }, "a role of Spinnaker's");
    const results = await Promise.all(
      decision.work.map(async (item) => {
        const applied = await dispatcher.apply(event, item, () => newest.overtaken(event));
        watcher.refreshed(item.type, applied.outcome);
        return applied;
      }),
    );
    const worst =
      results.find(({ outcome }) => outcome === "failed") ??
      results.find(({ outcome }) => outcome === "stale") ??
      results[0];
    const outcome = worst?.outcome ?? "applied";
    if (outcome === "applied") newest.applied(event);
    return {
      outcome,
      reason: worst?.detail ?? "",
      work: decision.work,
      changedAt: event.at,
      decidedAt,
    };
  }

  /** What is irrelevant by itself needs no Clouddriver to say so. */
  async function handleOther(
    event: Exclude<Parsed, ResourceEvent>,
    text: string,
    receivedAt: number,
  ): Promise<Fate> {
    const beat = heartbeatOf(text);
    if (beat) watcher.heartbeat(beat.path, Math.max(0, receivedAt - beat.sentAt), receivedAt);
    if ("ignored" in event) return { outcome: "ignored", reason: event.ignored, decidedAt: clock.now() };
    const { region, throttled, reason, at: changedAt } = event;
    const accounts = accountsUnder(event, await dispatcher.accounts());
    const decidedAt = clock.now();
    if (accounts.length === 0)
      return { outcome: "ignored", reason: "no Spinnaker account looks there", decidedAt };
    for (const account of accounts) await dispatcher.pace({ account, region, throttled, reason });
    const how = throttled ? "slowed down" : "at the usual pace again";
    return { outcome: "applied", reason: `${accounts.join(", ")} ${how}: ${reason}`, changedAt, decidedAt };
  }
}

function incoming(
  message: SnsMessage,
  receivedAt: number,
  signature: Promise<string>,
): Omit<Incoming, "body" | "via"> {
  const { MessageId: id, Type: type, Message: text, TopicArn: topicArn, Token: token = "" } = message;
  return { id, type, text, topicArn, token, receivedAt, signature };
}

export type Dispatch = ReturnType<typeof createDispatch>;
