import type { Logger } from "pino";
import { z } from "zod";
import type { LockStore } from "../../agents/stores/store.ts";
import { HOLD_PREFIX } from "../../agents/stores/store.ts";
import type { Sighting } from "../../agents/view.ts";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import { nextStep } from "./step.ts";
import { type Wish, wishFor, wishSchema } from "./wishes.ts";

export interface KeeperOptions {
  locks: LockStore;
  see(): Promise<Sighting>;
  clock: Clock;
  signal: AbortSignal;
  log: Logger;
  /** Names this `aec` in its holds. */
  owner: string;
  /** Wishes of `aec.yml`: always there, below the others. */
  standing: readonly Wish[];
}

/** Keeps wishes in force. */
export interface Keeper {
  wishes(): readonly Wish[];
  /** Adds a wish, or replaces the one for the same agents. */
  wish(wish: Wish): Promise<void>;
  /** Takes wishes for these agents back (all, without a pattern) and returns them. */
  release(agents: string | undefined): Promise<Wish[]>;
  /** Agents that are held now. */
  held(): readonly string[];
  /** The locks as seen from within this `aec`: its own holds give way to a run that is wanted now. */
  yielding(locks: LockStore): LockStore;
  /** Runs until the signal aborts, and then releases what it holds. */
  keep(): Promise<void>;
}

/** A stock interval leaves six of them to set a hold in. */
const TICK_MS = 5_000;
/** What was told to run is left alone for a while, so that the next hold does not come before a node has taken it. */
const WANTED_MS = 15_000;
const STORE_KEY = "aec:polling:wishes";
const STORE_LIFE_MS = 24 * 3_600_000;

export function createKeeper(options: KeeperOptions): Keeper {
  const { locks, clock, signal, log } = options;
  const own = `${HOLD_PREFIX}${JSON.stringify({ owner: options.owner })}`;
  const wanted = new Map<string, number>();
  let wishes: Wish[] = [];
  let held: string[] = [];
  let storedAt = Number.NEGATIVE_INFINITY;
  /** When an agent was last told to run by a short interval: introspection may be of a replica that did not run it. */
  const asked = new Map<string, number>();
  let ticking: Promise<void> = Promise.resolve();

  const inForce = () => [...options.standing, ...wishes];
  const store = async () => {
    storedAt = clock.now();
    await locks.remember(STORE_KEY, JSON.stringify(wishes), STORE_LIFE_MS);
  };
  const letGo = async (agent: string) => {
    wanted.set(agent, clock.now() + WANTED_MS);
    return locks.deleteIf(agent, own);
  };

  /** One after the other, whoever asks. */
  function tick(): Promise<void> {
    ticking = ticking.catch(() => {}).then(look);
    return ticking;
  }

  async function look(): Promise<void> {
    const now = clock.now();
    const current = wishes.filter(({ until }) => until === null || until > now);
    if (current.length !== wishes.length || now - storedAt > STORE_LIFE_MS / 4) {
      wishes = current;
      await store();
    }
    if (inForce().length === 0 && held.length === 0) return;
    const sighting = await options.see();
    const names = new Set([...sighting.executions.keys(), ...sighting.locks.keys()]);
    const holding: string[] = [];
    for (const agent of names) {
      if ((wanted.get(agent) ?? 0) > now) continue;
      if (await keepOne(agent, sighting, now)) holding.push(agent);
    }
    held = holding;
    for (const [agent, until] of wanted) if (until <= now) wanted.delete(agent);
  }

  /** Takes the step that the agent's wish asks for; true where it is held afterwards. */
  async function keepOne(agent: string, sighting: Sighting, now: number): Promise<boolean> {
    const wish = wishFor(agent, inForce(), now);
    const step = nextStep(agent, wish, sighting, own);
    switch (step.action) {
      case "hold":
        return (await locks.hold(agent, own, step.lifeMs, step.idleMs)) === "set";
      case "release":
        await locks.deleteIf(agent, own);
        return false;
      case "run":
        if (now - (asked.get(agent) ?? 0) >= (wish?.intervalMs ?? 0)) {
          asked.set(agent, now);
          await locks.runNow(agent, step.idleMs);
        }
        return false;
      case "none":
        return sighting.locks.get(agent)?.holder === own;
    }
  }

  return {
    wishes: inForce,
    held: () => held,
    async wish(wish) {
      wishes = [...wishes.filter(({ agents }) => agents !== wish.agents), wish];
      await store();
      await tick();
    },
    async release(agents) {
      const taken = wishes.filter((wish) => agents === undefined || wish.agents === agents);
      wishes = wishes.filter((wish) => !taken.includes(wish));
      await store();
      await tick();
      return taken;
    },
    yielding: (inner) => ({
      ...inner,
      async lock(agent) {
        const lock = await inner.lock(agent);
        if (lock.holder !== own) return lock;
        await letGo(agent);
        return { holder: undefined, lifeMs: 0, held: false };
      },
      async runNow(agent, idleMs) {
        wanted.set(agent, clock.now() + WANTED_MS);
        return inner.runNow(agent, idleMs);
      },
    }),
    async keep() {
      try {
        wishes = stored(await locks.recall(STORE_KEY)) ?? wishes;
      } catch (error) {
        log.warn({ problem: messageOf(error) }, "wishes of an earlier serve could not be read");
      }
      while (!signal.aborted) {
        try {
          await tick();
        } catch (error) {
          log.warn({ problem: messageOf(error) }, "polling is as configured until this passes");
        }
        await clock.sleep(TICK_MS, signal).catch(() => {});
      }
      await Promise.allSettled(held.map((agent) => locks.deleteIf(agent, own)));
    },
  };
}

function stored(text: string | undefined): Wish[] | undefined {
  if (text === undefined) return undefined;
  try {
    return z.array(wishSchema).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
