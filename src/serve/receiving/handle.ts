import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import type { Account } from "../../clouddriver/accounts.ts";
import { accountsUnder, decide } from "../../events/decide.ts";
import { isResourceEvent, type Parsed, type Pressure, type ResourceEvent } from "../../events/event.ts";
import type { SnsMessage } from "../../events/message.ts";
import type { Apply } from "../running/apply.ts";
import type { Watcher } from "../watcher.ts";
import type { Fate } from "./memory.ts";
import { createNewest } from "./newest.ts";

export interface Handler {
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

/** A message whose sender is known. */
export interface Incoming {
  id: string;
  body: string;
  via: "http" | "sqs";
  type: SnsMessage["Type"];
  /** What it is about; undefined for what SNS says of the subscription itself. */
  event: Parsed | undefined;
  topicArn: string;
  token: string;
  receivedAt: number;
  /** Known later where nothing depends on it. */
  signature: string | Promise<string>;
}

/** Does what a message asks for, and tells what became of it. */
export function createHandle(handler: Handler): (message: Incoming) => Promise<Fate> {
  const { clock, log, watcher } = handler;
  const newest = createNewest();

  return (message) => {
    const { event } = message;
    if (event === undefined) return aboutSubscription(message);
    if ("ignored" in event)
      return Promise.resolve({ outcome: "ignored", reason: event.ignored, decidedAt: clock.now() });
    return isResourceEvent(event) ? aboutResource(event) : aboutPressure(event);
  };

  async function aboutSubscription({ type, topicArn, token, signature }: Incoming): Promise<Fate> {
    if (type === "SubscriptionConfirmation") {
      // A queue's trust is for events; only a proven topic may have this endpoint subscribed.
      const proof = await signature;
      if (proof !== "valid") return { outcome: "ignored", reason: `not confirmed: ${proof}` };
      await handler.confirm(topicArn, token);
      return { outcome: "confirmed", reason: `subscribed to ${topicArn}` };
    }
    log.warn({ topic: topicArn }, "somebody unsubscribed this endpoint: no more events will come");
    return { outcome: "ignored", reason: "the subscription was removed" };
  }

  async function aboutResource(event: ResourceEvent): Promise<Fate> {
    newest.received(event);
    const outdated = newest.outdated(event);
    if (outdated) return { outcome: "ignored", reason: `out of order: ${outdated}`, decidedAt: clock.now() };
    const decision = decide(event, await handler.accounts());
    const decidedAt = clock.now();
    if (decision.outcome === "ignore") return { outcome: "ignored", reason: decision.reason, decidedAt };
    const { work, warning } = decision;
    if (warning) log.warn({ problem: warning }, "a role of Spinnaker's");
    const results = await Promise.all(
      work.map(async (item) => {
        const applied = await handler.apply(event, item, () => newest.overtaken(event));
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
    const ran = results.some((result) => result.ran);
    return { outcome, reason: worst?.detail ?? "", work, ran, changedAt: event.at, decidedAt };
  }

  async function aboutPressure(event: Pressure): Promise<Fate> {
    const { region, throttled, reason, at: changedAt } = event;
    const accounts = accountsUnder(event, await handler.accounts());
    const decidedAt = clock.now();
    if (accounts.length === 0)
      return { outcome: "ignored", reason: "no Spinnaker account looks there", decidedAt };
    for (const account of accounts) await handler.pace({ account, region, throttled, reason });
    const how = throttled ? "slowed down" : "at the usual pace again";
    return { outcome: "applied", reason: `${accounts.join(", ")} ${how}: ${reason}`, changedAt, decidedAt };
  }
}
