/** What the lock of one agent says. */
export interface Lock {
  /** Absent: due now. */
  holder: string | undefined;
  /** Remaining life, ms; 0 without a holder. */
  lifeMs: number;
  /** Set by an `aec`, to keep the agent from running. */
  held: boolean;
}

/** Values of locks that `aec` itself sets begin so; a Clouddriver node's is `ip:pid@host`. */
export const HOLD_PREFIX = "aec:";

/** Where Clouddriver's agent scheduler keeps its locks. */
export interface LockStore {
  lock(agent: string): Promise<Lock>;
  /** Locks of these agents; a due agent has none for a second. */
  locksOf(agents: readonly string[]): Promise<Map<string, Lock>>;
  /** Names of all agents that have a lock. On Redis this walks the whole database: not for what repeats. */
  locked(): Promise<string[]>;
  /** How many of these agents have a lock. */
  count(agents: readonly string[]): Promise<number>;
  /** The name of a scheduler of another kind that uses this store; undefined where none shows. */
  otherScheduler(): Promise<"sort" | "pubsub" | undefined>;
  /** Frees the agent if it is idle: if its lock lives no longer than `idleMs`. */
  runNow(agent: string, idleMs: number): Promise<"due" | "held" | "running" | "foreign" | "released">;
  /** Sets or renews our hold of `lifeMs`, in place of no lock, of an idle one (of at most `idleMs`) or of our own. */
  hold(
    agent: string,
    value: string,
    lifeMs: number,
    idleMs: number,
  ): Promise<"set" | "held" | "running" | "foreign">;
  /** Deletes the lock if its value is exactly this one, and it lives no longer than `maxLifeMs`. */
  deleteIf(agent: string, value: string, maxLifeMs?: number): Promise<boolean>;
  /** Whether it has a place for texts of `aec`'s own: Clouddriver's SQL tables have none. */
  readonly shares: boolean;
  /** A text that replicas share; gone after `lifeMs`. */
  remember(key: `aec:${string}`, text: string, lifeMs: number): Promise<void>;
  recall(key: `aec:${string}`): Promise<string | undefined>;
  close(): void;
}
