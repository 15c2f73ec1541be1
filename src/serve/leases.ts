import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { HOLD_PREFIX, type LockStore } from "../agents/stores/store.ts";
import { childSignal } from "../child-signal.ts";
import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";

/** Work that only one replica is to do at a time. */
export interface SharedWork<T> {
  /** Called when another replica has the lease; what it returns tells later whether that one's work serves us too. */
  waiting(): Promise<() => Promise<T | undefined>>;
  work(): Promise<T>;
}

/** What replicas of `aec serve` agree by. */
export interface Leases {
  /** Does the work alone, and not within the window of the last that began under the name. */
  alone<T>(name: string, windowMs: number, shared: SharedWork<T>): Promise<T>;
  /** Whether this replica is the one that does what one is enough for. */
  leads(): boolean;
  /** Becomes that replica when there is no other, and stays it. Runs until the signal aborts. */
  lead(): Promise<void>;
  /** Lets every replica see for so long that something happened. */
  mark(name: string, lifeMs: number): Promise<void>;
  /** Whether any replica has marked it, as far as the store can tell. */
  marked(name: string): Promise<boolean>;
  /** Gives back all that is held: this replica stops, and nobody is to wait for it. */
  giveBack(): Promise<void>;
}

/** A replica that is killed keeps the others waiting for so long. */
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
const POLL_MS = 250;
/** The same of all replicas, so that each can renew it. */
const MARK = `${HOLD_PREFIX}mark`;

/**
 * Leases are holds of names that no agent has, in Redis or in the SQL lock table, each with a life of its own. While
 * the store fails each replica works by itself: Clouddriver's own locks still keep runs apart.
 */
export function createLeases(store: LockStore, clock: Clock, signal: AbortSignal, log: Logger): Leases {
  const owner = `${HOLD_PREFIX}${hostname()}/${randomUUID()}`;
  const prefix = store.shares ? "aec:" : "aec/";
  const leader = `${prefix}leader`;
  const held = new Set<string>();
  let failing = false;
  let leading = false;

  /** Undefined: the store failed. */
  const tried = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await call();
      failing = false;
      return answer;
    } catch (error) {
      if (!failing && !signal.aborted)
        log.warn({ problem: messageOf(error) }, "replicas cannot agree: each works by itself");
      failing = true;
      return undefined;
    }
  };

  const renew = async (lease: string, stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) {
      await clock.sleep(RENEW_MS, stop).catch(() => {});
      if (!stop.aborted) await tried(() => store.hold(lease, owner, LEASE_MS, 0));
    }
  };

  return {
    async alone<T>(name: string, windowMs: number, { waiting, work }: SharedWork<T>): Promise<T> {
      const lease = `${prefix}lease/${name}`;
      const began = `${prefix}began/${name}`;
      let servedBy: (() => Promise<T | undefined>) | undefined;
      for (;;) {
        const answer = await tried(() => store.hold(lease, owner, LEASE_MS, 0));
        if (answer === undefined) return work();
        if (answer === "set") break;
        servedBy ??= await waiting();
        await clock.sleep(POLL_MS, signal);
      }
      held.add(lease);
      const done = childSignal(signal);
      const renewing = renew(lease, done.signal);
      try {
        const served = await servedBy?.();
        if (served !== undefined) return served;
        const last = await tried(() => store.lock(began));
        if (last && last.lifeMs > 0) await clock.sleep(last.lifeMs, signal);
        if (windowMs > 0) await tried(() => store.hold(began, owner, windowMs, 0));
        return await work();
      } finally {
        done.end();
        await renewing;
        // What cannot be given back now ends by itself.
        await tried(() => store.deleteIf(lease, owner));
        held.delete(lease);
      }
    },
    leads: () => leading,
    async lead() {
      while (!signal.aborted) {
        const answer = await tried(() => store.hold(leader, owner, LEASE_MS, 0));
        leading = answer === "set" || answer === undefined;
        await clock.sleep(RENEW_MS, signal).catch(() => {});
      }
      await tried(() => store.deleteIf(leader, owner));
    },
    async mark(name, lifeMs) {
      await tried(() => store.hold(`${prefix}mark/${name}`, MARK, lifeMs, 0));
    },
    async marked(name) {
      return ((await tried(() => store.lock(`${prefix}mark/${name}`)))?.lifeMs ?? 0) > 0;
    },
    async giveBack() {
      await Promise.all([...held].map((lease) => tried(() => store.deleteIf(lease, owner))));
    },
  };
}
