import type { Logger } from "pino";
import { z } from "zod";
import { type Sighting, withUsualInterval } from "../../agents/sighting.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import type { Clock } from "../../clock.ts";
import { messageOf } from "../../errors.ts";
import { holdValue, ownerOf } from "./hold-value.ts";
import { createAgentMemory } from "./memory.ts";
import { nextStep } from "./step.ts";
import { SERVE, type Wish, wishFor, wishSchema } from "./wishes.ts";

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
  /** What holds for an agent that no wish is about. */
  floorOf?: (agent: string) => Wish | undefined;
}

/** Keeps wishes in force. */
export interface Keeper {
  wishes(): readonly Wish[];
  /** Whether wishes outlive this process. */
  readonly persistent: boolean;
  /** Adds a wish, or replaces the one for the same agents. */
  wish(wish: Wish): Promise<void>;
  /** Takes wishes for these agents back (all, without a pattern) and returns them. */
  release(agents: string | undefined): Promise<Wish[]>;
  /** Agents that are held now. */
  held(): readonly string[];
  /** All agents that Clouddriver or its locks name, with the wish that is in force for each. */
  agents(): Promise<readonly { agent: string; held: boolean; wish: Wish | undefined }[]>;
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
/** Longer than any wish with an end; renewed every day for those without. */
const STORE_LIFE_MS = 31 * 86_400_000;
const RENEW_STORE_MS = 86_400_000;

export function createKeeper(options: KeeperOptions): Keeper {
  const { locks, clock, signal, log } = options;
  // Of this process alone: replicas keep the same wishes, each by its own holds.
  const own = holdValue(options.owner);
  const memory = createAgentMemory((holder) => holder === own);
  const wanted = new Map<string, number>();
  let wishes: Wish[] = [];
  let held: string[] = [];
  let seen: string[] = [];
  /** When an agent was last told to run by a short interval: introspection may be of a replica that did not run it. */
  const asked = new Map<string, number>();
  let ticking: Promise<void> = Promise.resolve();
  let storedAt = clock.now();

  const inForce = () => [...options.standing, ...wishes];
  /** What AWS's throttling slows down never makes faster what is slower already. */
  const wishOf = (agent: string, now: number) => {
    const wishFrom = (isFrom: (wish: Wish) => boolean) => wishFor(agent, inForce().filter(isFrom), now);
    const slowed = wishFrom(({ owner }) => owner === SERVE);
    const wish = wishFrom(({ owner }) => owner !== SERVE) ?? options.floorOf?.(agent);
    if (!wish || !slowed) return wish ?? slowed;
    const intervalOf = ({ intervalMs }: Wish) => intervalMs ?? Number.POSITIVE_INFINITY;
    return intervalOf(wish) >= intervalOf(slowed) ? wish : slowed;
  };
  /** The store is what replicas agree on; without one, or while it cannot be read, what is known here counts. */
  const refreshWishes = async (now: number) => {
    if (locks.shares) wishes = stored(await locks.recall(STORE_KEY)) ?? [];
    wishes = wishes.filter(({ until }) => until === null || until > now);
  };
  const store = async () => {
    if (!locks.shares) return;
    storedAt = clock.now();
    await locks.remember(STORE_KEY, JSON.stringify(wishes), STORE_LIFE_MS);
  };
  const change = async (next: (present: readonly Wish[]) => Wish[]) => {
    await refreshWishes(clock.now());
    wishes = next(wishes);
    await store();
    await tick();
  };
  /** One after the other, whoever asks. */
  function tick(): Promise<void> {
    ticking = ticking.catch(() => {}).then(look);
    return ticking;
  }

  async function look(): Promise<void> {
    const now = clock.now();
    await refreshWishes(now);
    if (wishes.length > 0 && now - storedAt > RENEW_STORE_MS) await store();
    if (inForce().length === 0 && held.length === 0 && !options.floorOf) return;
    const sighting = withUsualInterval(memory.merge(await options.see()));
    seen = namesOf(sighting);
    const holding = new Set(held);
    for (const agent of seen) {
      if ((wanted.get(agent) ?? 0) > now) continue;
      if (signal.aborted) break;
      if (await keepOne(agent, sighting, now)) holding.add(agent);
      else holding.delete(agent);
      held = [...holding];
    }
    for (const [agent, until] of wanted) if (until <= now) wanted.delete(agent);
  }

  /** Takes the step that the agent's wish asks for; true where it is held afterwards. */
  async function keepOne(agent: string, sighting: Sighting, now: number): Promise<boolean> {
    const wish = wishOf(agent, now);
    const step = nextStep(agent, wish, sighting, own, memory.attempt(agent));
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
    async agents() {
      // Nothing is looked at while nothing is wished.
      if (seen.length === 0) seen = namesOf(await options.see());
      return seen.map((agent) => ({ agent, held: held.includes(agent), wish: wishOf(agent, clock.now()) }));
    },
    persistent: locks.shares,
    wish: (wish) => change((present) => [...present.filter(({ agents }) => agents !== wish.agents), wish]),
    async release(agents) {
      let taken: Wish[] = [];
      await change((present) => {
        taken = present.filter((wish) => agents === undefined || wish.agents === agents);
        return present.filter((wish) => !taken.includes(wish));
      });
      return taken;
    },
    yielding(inner) {
      const lock: LockStore["lock"] = async (agent) => {
        const found = await inner.lock(agent);
        // Those of other replicas of this environment give way too: the run is wanted, whoever holds.
        if (found.holder === undefined || ownerOf(found.holder) !== options.owner) return found;
        wanted.set(agent, clock.now() + WANTED_MS);
        await locks.deleteIf(agent, found.holder);
        return { holder: undefined, lifeMs: 0, held: false };
      };
      return {
        ...inner,
        lock,
        async runNow(agent, idleMs) {
          wanted.set(agent, clock.now() + WANTED_MS);
          const answer = await inner.runNow(agent, idleMs);
          // Another replica, which does not know what is wanted here, may have set its hold in between.
          if (answer !== "held" || (await lock(agent)).held) return answer;
          return inner.runNow(agent, idleMs);
        },
      };
    },
    async keep() {
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

const namesOf = ({ executions, locks }: Sighting) =>
  [...new Set([...executions.keys(), ...locks.keys()])].toSorted();

function stored(text: string | undefined): Wish[] | undefined {
  if (text === undefined) return undefined;
  try {
    return z.array(wishSchema).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
