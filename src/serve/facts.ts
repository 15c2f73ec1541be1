import type { ServerGroup } from "../clouddriver/client.ts";
import type { ResourceFacts } from "../events/event.ts";

/** How the cached server group contradicts what the event says of it; undefined where it does not. */
export function contradiction(facts: ResourceFacts, cached: ServerGroup | undefined): string | undefined {
  if (facts.gone) return cached ? "AWS deleted it, the cache still has it" : undefined;
  if (!cached) return "AWS has it, the cache does not";
  const { desiredCapacity, instanceIds } = facts;
  if (desiredCapacity !== undefined && cached.capacity?.desired !== desiredCapacity) {
    return `desired capacity is ${desiredCapacity}, the cache says ${cached.capacity?.desired}`;
  }
  const known = new Set(cached.instances?.flatMap(({ name, id }) => [name, id]));
  const missing = instanceIds?.find((id) => !known.has(id));
  return missing === undefined ? undefined : `instance ${missing} is not in the cache`;
}
