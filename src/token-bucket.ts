import type { Clock } from "./clock.ts";

/** Tokens that come back with time; a pause is saved up to the burst. */
export interface TokenBucket {
  /** Takes one if there is one. */
  tryTake(): boolean;
  /** Takes one, waiting for it. Rejects when the signal aborts. */
  take(signal: AbortSignal): Promise<void>;
  fill(): void;
  /** From now on a token comes back after so many ms. */
  setRefill(refillMs: number): void;
}

const LOOK_MS = 1_000;

export function createTokenBucket(burst: number, firstRefillMs: number, clock: Clock): TokenBucket {
  let refillMs = firstRefillMs;
  let tokens = burst;
  let refilledAt = clock.now();

  const refill = () => {
    // A clock that was set back takes nothing away.
    refilledAt = Math.min(refilledAt, clock.now());
    const gained = Math.floor((clock.now() - refilledAt) / refillMs);
    tokens = Math.min(burst, tokens + gained);
    refilledAt += gained * refillMs;
  };
  const tryTake = () => {
    refill();
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  return {
    tryTake,
    async take(signal) {
      // Looked at every second: it may have been filled, or quickened, meanwhile.
      while (!tryTake())
        await clock.sleep(Math.min(LOOK_MS, Math.max(1, refilledAt + refillMs - clock.now())), signal);
    },
    fill: () => {
      tokens = burst;
    },
    setRefill(next) {
      refill();
      refillMs = next;
    },
  };
}
