/** One element of `GET /cache/introspection`; `lastError` and `details` are never there for these agents. */
interface AgentIntrospection {
  id: string;
  provider: string;
  totalAdditions: number;
  totalEvictions: number;
  lastExecutionStartMs: number;
  lastExecutionDurationMs: number;
  /** `yyyy-MM-dd HH:mm:ss.SSS` in the server's zone, here UTC. */
  lastExecutionStartDate: string;
}

/** What one successful run leaves behind. */
interface RunSummary {
  agent: string;
  provider: string;
  startedAt: number;
  endedAt: number;
  additions: number;
  evictions: number;
}

/** The introspection store of one node: in memory, and failures leave no trace (CacheIntrospectionStore). */
export interface Introspection {
  record(run: RunSummary): void;
  /** Newest start first. */
  list(): AgentIntrospection[];
}

/** An empty store, as after each start. */
export function createIntrospection(): Introspection {
  const agents = new Map<string, AgentIntrospection>();
  return {
    record({ agent, provider, startedAt, endedAt, additions, evictions }) {
      const start = Math.floor(startedAt);
      agents.set(agent, {
        id: agent,
        provider,
        totalAdditions: additions,
        totalEvictions: evictions,
        lastExecutionStartMs: start,
        lastExecutionDurationMs: Math.round(endedAt - startedAt),
        lastExecutionStartDate: new Date(start).toISOString().replace("T", " ").slice(0, -1),
      });
    },
    list: () => [...agents.values()].sort((a, b) => b.lastExecutionStartMs - a.lastExecutionStartMs),
  };
}
