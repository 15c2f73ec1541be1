import type { ServerGroup } from "../../clouddriver/client.ts";
import type { ResourceFacts } from "../../events/event.ts";

/** How the cached server group contradicts what the event says of it; undefined where it does not. */
export function contradiction(facts: ResourceFacts, cached: ServerGroup | undefined): string | undefined {
  if (facts.gone) return cached ? "AWS deleted it, the cache still has it" : undefined;
  if (!cached) return facts.gone === false ? "AWS has it, the cache does not" : undefined;
  const { desiredCapacity, instanceIds, absentInstanceIds } = facts;
  if (desiredCapacity !== undefined && cached.capacity?.desired !== desiredCapacity) {
    return `desired capacity is ${desiredCapacity}, the cache says ${cached.capacity?.desired}`;
  }
  const known = new Set(cached.instances?.flatMap(({ name, id }) => [name, id]));
  const missing = instanceIds?.find((id) => !known.has(id));
  if (missing !== undefined) return `instance ${missing} is not in the cache`;
  const left = absentInstanceIds?.find((id) => known.has(id));
  return left === undefined ? undefined : `instance ${left} has left, the cache still has it`;
}
