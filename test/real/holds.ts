import { Redis } from "ioredis";

/** The agents of a Redis that an `aec` keeps from running. */
export async function heldAgents(redisUrl: string): Promise<string[]> {
  const store = new Redis(redisUrl);
  try {
    const agents = await store.keys("*Agent*");
    const values = await Promise.all(agents.map((key) => store.get(key).catch(() => null)));
    return agents.filter((_, index) => values[index]?.startsWith("aec:"));
  } finally {
    store.disconnect();
  }
}
