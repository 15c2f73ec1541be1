import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import type { WorkItem } from "../../refresh/items.ts";

/** What became of one message. */
export interface Fate {
  outcome: "applied" | "stale" | "ignored" | "confirmed" | "failed";
  reason: string;
  work?: readonly WorkItem[];
  /** Whether anything had to run for it. */
  ran?: boolean;
  /** When AWS saw the change, ms since the epoch. */
  changedAt?: number;
  /** Of the messages' way through `serve`, ms since the epoch. */
  receivedAt?: number;
  verifiedAt?: number;
  decidedAt?: number;
  settledAt?: number;
  /** `valid`, or why it was not checked or does not hold: over SQS the queue is the trust. */
  signature?: string;
}

/** Longer than the window in which a message is accepted at all. */
const MAX_AGE_MS = 70 * 60_000;
const MAX_MESSAGES = 50_000;
/** Anybody may cause one, so that they are few and never stand for a message that was taken. */
const MAX_REFUSALS = 1_000;

/** A message that was not taken, by the id that it claimed. */
export interface Refusal {
  outcome: "refused";
  reason: string;
  receivedAt: number;
}

/** Remembers the fates of messages, so that a redelivered one is not applied twice. */
export function createMemory(clock: Clock) {
  const fates = new LRUCache<string, { fate: Fate; until: number }>({ max: MAX_MESSAGES });
  const refusals = new LRUCache<string, Refusal>({ max: MAX_REFUSALS });
  return {
    refuse: (id: string, reason: string) =>
      void refusals.set(id, { outcome: "refused", reason, receivedAt: clock.now() }),
    refusal: (id: string) => refusals.get(id),
    remember: (id: string, fate: Fate) => void fates.set(id, { fate, until: clock.now() + MAX_AGE_MS }),
    recall(id: string): Fate | undefined {
      const entry = fates.get(id);
      return entry !== undefined && entry.until > clock.now() ? entry.fate : undefined;
    },
  };
}
