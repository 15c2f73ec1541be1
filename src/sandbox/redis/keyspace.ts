import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";

/** Conditions and life of a `SET`; without `px` the key lives for ever. */
export interface SetOptions {
  nx?: boolean;
  xx?: boolean;
  px?: number;
}

/** One database of string keys with lives, as `SET`, `PTTL` and their like see it. */
export interface Keyspace {
  get(key: string): string | undefined;
  /** False when `nx` or `xx` forbade the write. */
  set(key: string, value: string, options?: SetOptions): boolean;
  del(key: string): boolean;
  /** Remaining life in ms; -1 without one, -2 for no such key. */
  pttl(key: string): number;
  /** A life of zero or less deletes the key, as in Redis. */
  pexpire(key: string, ms: number): boolean;
  keys(): string[];
  /** One page of keys; starts at cursor 0, ends when the answered cursor is 0. */
  scan(cursor: number, count: number): { cursor: number; keys: string[] };
}

/** An empty keyspace whose keys expire on `clock`. */
export function createKeyspace(clock: Clock): Keyspace {
  const entries = new Map<string, { value: string; expiresAt: number }>();

  const live = (key: string) => {
    const entry = entries.get(key);
    // Redis expires a key only once its time has passed: at the very millisecond it is still there.
    if (!entry || clock.now() <= entry.expiresAt) return entry;
    entries.delete(key);
    return undefined;
  };
  const keys = () => [...entries.keys()].filter(live);

  return {
    get: (key) => live(key)?.value,
    set(key, value, { nx = false, xx = false, px = Number.POSITIVE_INFINITY } = {}) {
      const exists = live(key) !== undefined;
      if (exists ? nx : xx) return false;
      entries.set(key, { value, expiresAt: clock.now() + px });
      return true;
    },
    del: (key) => live(key) !== undefined && entries.delete(key),
    pttl(key) {
      const entry = live(key);
      if (!entry) return -2;
      return Number.isFinite(entry.expiresAt) ? Math.round(entry.expiresAt - clock.now()) : -1;
    },
    pexpire(key, ms) {
      const entry = live(key);
      if (!entry) return false;
      if (ms > 0) entry.expiresAt = clock.now() + ms;
      else entries.delete(key);
      return true;
    },
    keys,
    scan(cursor, count) {
      // Ordered by hash, so that keys which come and go between two pages neither hide nor repeat the others.
      const ahead = keys()
        .map((key) => ({ key, slot: slotOf(key) }))
        .filter(({ slot }) => slot > cursor)
        .sort((a, b) => a.slot - b.slot);
      const last = ahead[Math.max(count, 1) - 1]?.slot ?? Number.POSITIVE_INFINITY;
      const page = ahead.filter(({ slot }) => slot <= last);
      return { cursor: page.length < ahead.length ? last : 0, keys: page.map(({ key }) => key) };
    },
  };
}

function slotOf(key: string): number {
  return createHash("sha1").update(key).digest().readUInt32BE(0) + 1;
}
