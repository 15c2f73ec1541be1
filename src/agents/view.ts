import { ownIntervalMs } from "../polling/own-intervals.ts";
import { callsPerPass, onlyReads, parseAgent } from "./catalog.ts";
import { deadNodes, SILENT_MS } from "./dead-nodes.ts";
import { STOCK_INTERVAL_MS, STOCK_TIMEOUT_MS } from "./idle.ts";
import { isIdleNow, type Sighting, withUsualInterval } from "./sighting.ts";
import type { Lock } from "./stores/store.ts";

export type AgentState =
  | "ok"
  | "running"
  | "stuck"
  | "held"
  | "late"
  | "failing"
  | "blocked"
  | "never-ran"
  | "unknown";

/** One agent as introspection and its lock tell of it together. */
export interface AgentView {
  id: string;
  account: string | null;
  region: string | null;
  kind: string;
  provider: string | null;
  /** Of the last successful run, ISO 8601 by Clouddriver's clock. */
  lastStart: string | null;
  lastDurationMs: number | null;
  /** Inferred: an idle lock ends one interval after the last start. */
  intervalMs: number | null;
  nextDue: string | null;
  /** Value of the lock: a node's `ip:pid@host`, or an `aec`'s. */
  holder: string | null;
  /** At the least, from the calls of one pass. */
  callsPerHour: number | null;
  state: AgentState;
}

/** A successful run is missed when the next start is that many intervals overdue. */
const MISSED_INTERVALS = 2.5;
const CLOCK_ERROR_MS = 2_000;
const HOUR_MS = 3_600_000;

/**
 * The interval that an agent should have: its own where Clouddriver hard-codes one, else the configured one, else what
 * most agents of this Clouddriver show.
 */
function expectedIntervals(sighting: Sighting): (id: string) => number {
  const usual = sighting.configuredMs ?? STOCK_INTERVAL_MS;
  return (id) => ownIntervalMs(id) ?? usual;
}

/** An idle lock ends one interval after the last start. */
function inferredInterval(id: string, sighting: Sighting): number | undefined {
  const lock = sighting.locks.get(id);
  const lastStartMs = sighting.executions.get(id)?.lastExecutionStartMs;
  if (!lock || lock.held || lastStartMs === undefined || !isIdleNow(id, sighting)) return undefined;
  return sighting.now - lastStartMs + lock.lifeMs;
}

/** All agents that introspection or a lock names, by their names. */
export function agentViews(seen: Sighting): AgentView[] {
  const sighting = withUsualInterval(seen);
  const { executions, locks } = sighting;
  const dead = deadNodes(sighting);
  const expected = expectedIntervals(sighting);
  const names = new Set([...executions.keys(), ...locks.keys()]);
  return [...names].toSorted().map((id) => view(id, sighting, dead, expected(id)));
}

function view(id: string, sighting: Sighting, dead: ReadonlySet<string>, expectedMs: number): AgentView {
  const { executions, locks, now } = sighting;
  const execution = executions.get(id);
  const lock = locks.get(id);
  const { account, region, kind } = parseAgent(id);
  const idle = isIdleNow(id, sighting);
  const lastStartMs = execution?.lastExecutionStartMs;
  const intervalMs = inferredInterval(id, sighting);
  const overdueMs = lastStartMs === undefined ? undefined : now - lastStartMs;
  const calls = callsPerPass(id);
  return {
    id,
    account: account ?? null,
    region: region ?? null,
    kind,
    provider: execution?.provider ?? null,
    lastStart: lastStartMs === undefined ? null : new Date(lastStartMs).toISOString(),
    lastDurationMs: execution?.lastExecutionDurationMs ?? null,
    intervalMs: intervalMs === undefined ? null : Math.round(intervalMs),
    nextDue: idle && lock?.holder ? new Date(now + lock.lifeMs).toISOString() : null,
    holder: lock?.holder ?? null,
    callsPerHour:
      calls === undefined || intervalMs === undefined ? null : Math.round((calls * HOUR_MS) / intervalMs),
    state: stateOf({ lock, idle, overdueMs, dead, reads: onlyReads(id) }, expectedMs),
  };
}

function stateOf({ lock, idle, overdueMs, dead, reads }: Seen, expectedMs: number): AgentState {
  if (lock?.held) return "held";
  if (lock?.holder !== undefined && dead.has(lock.holder)) return "blocked";
  const missed = overdueMs !== undefined && overdueMs > MISSED_INTERVALS * expectedMs;
  if (lock?.holder === undefined) return overdueMs === undefined ? "unknown" : missed ? "late" : "ok";
  // Without a start that is known, a long lock is a run, or the rest of a long interval: of these agents it is not told.
  if (!idle) {
    const lateLock = lock.lifeMs <= expectedMs + CLOCK_ERROR_MS && expectedMs < STOCK_TIMEOUT_MS - SILENT_MS;
    if (missed && lateLock) return "failing";
    if (missed && lock.lifeMs < STUCK_LIFE_MS) return "stuck";
    return overdueMs === undefined && !reads ? "unknown" : "running";
  }
  if (overdueMs === undefined) return "never-ran";
  // Runs that fail renew the lock, and leave no trace in introspection.
  return missed ? "failing" : "ok";
}

/** Of a lock that was taken for five minutes: the run lasts for more than three. */
const STUCK_LIFE_MS = 120_000;

interface Seen {
  lock: Lock | undefined;
  idle: boolean;
  /** Since the last successful start; undefined where none is known. */
  overdueMs: number | undefined;
  dead: ReadonlySet<string>;
  /** Only those are told by introspection. */
  reads: boolean;
}
