import { createDebounce } from "../debounce.ts";
import type { World } from "../world.ts";

/** The last successful run of one caching agent on the replica that was asked. */
export interface AgentExecution {
  /** The agentType, such as `prod/us-east-1/ClusterCachingAgent`. */
  id: string;
  provider: string;
  /** Clouddriver's clock, ms since the epoch. */
  lastExecutionStartMs: number;
  lastExecutionDurationMs: number;
}

export interface Executions {
  byAgent: Map<string, AgentExecution>;
  /** Clouddriver's clock, as `Answer` has it. */
  serverTime: number | undefined;
}

interface Introspection {
  body: readonly AgentExecution[];
  serverTime: number | undefined;
}

/**
 * The newest run of each agent over all replicas, each of which knows only what it ran itself. What a dead replica
 * knows is missing: agents of which nothing is known do not count as idle. Throws where none of them answers.
 */
export async function newestExecutions(replicas: readonly Promise<Introspection>[]): Promise<Executions> {
  const settled = await Promise.allSettled(replicas);
  const answers = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const [first] = settled;
  if (answers.length === 0 && first?.status === "rejected") throw first.reason;
  const byAgent = new Map<string, AgentExecution>();
  for (const execution of answers.flatMap(({ body }) => body)) {
    const known = byAgent.get(execution.id);
    if (!known || known.lastExecutionStartMs < execution.lastExecutionStartMs)
      byAgent.set(execution.id, execution);
  }
  const times = answers.flatMap(({ serverTime }) => (serverTime === undefined ? [] : [serverTime]));
  return { byAgent, serverTime: times.length > 0 ? Math.max(...times) : undefined };
}

/** Introspection is asked for no more often. */
const SHARED_MS = 200;

/** Of a large site introspection is megabytes: all who ask meanwhile share the next answer. */
export function sharedExecutions(
  { clock, signal }: Pick<World, "clock" | "signal">,
  ask: () => Promise<Executions>,
): () => Promise<Executions> {
  const shared = createDebounce<Executions>(clock, SHARED_MS, signal);
  return () => shared("introspection", ask);
}
