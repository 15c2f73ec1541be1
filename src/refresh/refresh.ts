import type { AgentRun } from "../agents/run.ts";
import type { LockStore } from "../agents/stores/store.ts";
import type { Clock } from "../clock.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import { EXIT, ExpectedError } from "../errors.ts";
import type { WorkItem } from "./items.ts";
import { type CachedState, readBack } from "./read-back.ts";
import type { Turns } from "./turns.ts";
import { compare, isGood, type Verdict } from "./verdict.ts";

/** How an item was made fresh: by an agent run, an on-demand call, or by waiting for the agent's own next pass. */
export type Via = "agents" | OnDemandVia | "pass" | "none";
/** The way of an on-demand call: straight, by a proxy of Gate's, or by a task of Orca's. */
export type OnDemandVia = "clouddriver" | "gate-proxy" | "gate-task";

export interface ItemResult extends WorkItem {
  via: Via;
  verdict: Verdict;
  detail: string;
  durationMs: number;
  /** Code of the error, where one stopped it. */
  error?: string;
}

/** What AWS says of an item that the cache should show now: the same, something else, or nothing that can be told. */
export type Comparison =
  | { result: "same"; detail: string }
  | { result: "not-compared" }
  | { result: "differs"; detail: string }
  | { result: "throttled" | "failed"; detail: string; error: string };

export interface Refresher {
  clouddriver: Clouddriver;
  /** Absent: no agent can be run at will. */
  locks: LockStore | undefined;
  clock: Clock;
  signal: AbortSignal;
  /** Bound on one run, or on one wait for a pass. */
  timeoutMs: number;
  intervalMs?: number | undefined;
  /** Agents that are run at one time; default: all. */
  concurrency?: number | undefined;
  /** Runs an agent now; default: by its scheduler's lock, straight away. */
  run?: (agent: string) => Promise<AgentRun>;
  /** Waits for an agent's next own pass; default: each call by itself. */
  nextPass?: (agent: string) => Promise<boolean>;
  /** Orders and spaces out the on-demand calls of each `account/region`. */
  turns: Turns;
  /** Compares with AWS what the cache shows now; default: not compared. */
  verify?: (item: WorkItem) => Promise<Comparison>;
}

export type Attempt =
  /** `handled`: the answer named something that was cached; without it only a visible change is a proof. */
  { done: true; handled?: boolean } | { done: false; verdict: Verdict; detail: string };

export const DONE: Attempt = { done: true };

/** Errors that say nothing of other items. */
const OF_ONE_ITEM: readonly number[] = [EXIT.failed, EXIT.timeout, EXIT.credentials];

/** How long a pass may take to store what it has already told introspection. */
const STORE_MS = 5_000;
const STORE_POLL_MS = 500;

/**
 * Makes one item fresh and gives it its verdict, from what the cache shows before and after. Where AWS says something
 * else then, it has changed meanwhile, or was not consistent yet: the attempt is made a second time.
 */
export async function proven(
  item: WorkItem,
  via: Via,
  refresher: Refresher,
  attempt: (tries: number) => Promise<Attempt>,
  { first, storedLater = false }: { first?: Promise<CachedState> | undefined; storedLater?: boolean } = {},
): Promise<ItemResult> {
  const { clouddriver, clock, verify } = refresher;
  const started = clock.now();
  const result = (verdict: Verdict, detail: string, error?: string): ItemResult => ({
    ...item,
    via,
    verdict,
    detail,
    durationMs: clock.now() - started,
    ...(error !== undefined && { error }),
  });
  try {
    const before = await (first ?? readBack(clouddriver, item));
    for (let tries = 1; ; tries += 1) {
      const outcome = await attempt(tries);
      if (!outcome.done) return result(outcome.verdict, outcome.detail);
      let { verdict, detail } = compare(before, await readBack(clouddriver, item));
      // A pass is known before it is stored: that nothing changed, or is there, proves something only a while later.
      const nothingYet = () => verdict === "unchanged" || verdict === "not-handled";
      for (const end = clock.now() + STORE_MS; storedLater && nothingYet() && clock.now() < end; ) {
        await clock.sleep(STORE_POLL_MS, refresher.signal);
        ({ verdict, detail } = compare(before, await readBack(clouddriver, item)));
      }
      const changed = verdict === "evicted" || (verdict === "refreshed" && item.name !== "*");
      if (outcome.handled === false && !changed) {
        verdict = "not-handled";
        detail =
          "Clouddriver answered 200 and named nothing: no agent has it, or the one that took it failed";
      }
      const compared: Comparison = verify ? await verify(item) : { result: "not-compared" };
      if (compared.result === "not-compared") return result(verdict, detail);
      if (compared.result === "same")
        return result(verdict, isGood(verdict) ? `${detail}; ${compared.detail}` : detail);
      if (compared.result !== "differs") return result(compared.result, compared.detail, compared.error);
      if (tries === 2) return result("stale", compared.detail);
    }
  } catch (error) {
    // One item that cannot be read must not take the others' results along.
    if (!(error instanceof ExpectedError) || !OF_ONE_ITEM.includes(error.exit)) throw error;
    return result(error.exit === EXIT.timeout ? "stale" : "failed", error.message, error.code);
  }
}
