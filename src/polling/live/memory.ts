import type { Sighting } from "../../agents/sighting.ts";

/** What a keeper has seen of agents over time. */
export interface AgentMemory {
  /** The sighting with the newest start ever seen: introspection is one replica's, and the next may know an older one. */
  merge(sighting: Sighting): Sighting;
  /** When the agent was last seen to be taken by a node, by Clouddriver's clock; successful or not. */
  attempt(agent: string): number | undefined;
}

export function createAgentMemory(isOwn: (holder: string) => boolean): AgentMemory {
  const newest = new Map<string, Sighting["executions"] extends ReadonlyMap<string, infer E> ? E : never>();
  const lives = new Map<string, number>();
  const attempts = new Map<string, number>();
  return {
    merge(sighting) {
      for (const [agent, execution] of sighting.executions) {
        const known = newest.get(agent);
        if (!known || known.lastExecutionStartMs < execution.lastExecutionStartMs)
          newest.set(agent, execution);
      }
      for (const agent of newest.keys()) {
        const lock = sighting.locks.get(agent);
        const nodes = lock?.holder !== undefined && !isOwn(lock.holder);
        const before = lives.get(agent);
        // A life only falls while nobody takes the lock anew; at the first look it is not known since when it is there.
        if (nodes && before !== undefined && lock.lifeMs > before) attempts.set(agent, sighting.now);
        lives.set(agent, nodes ? lock.lifeMs : 0);
      }
      return { ...sighting, executions: newest };
    },
    attempt: (agent) => attempts.get(agent),
  };
}
