import { LRUCache } from "lru-cache";
import type { ResourceEvent } from "../events/event.ts";

const MAX_RESOURCES = 50_000;

/** Remembers what was applied last of each resource: messages come in any order. */
export function createNewest() {
  const applied = new LRUCache<string, { order: number; at: number }>({ max: MAX_RESOURCES });
  const keyOf = ({ awsAccountId, region, type, name }: ResourceEvent) =>
    [awsAccountId, region, type, name].join("/");
  return {
    /** Why there is nothing left to do: something newer of the resource was applied. */
    outdated(event: ResourceEvent): string | undefined {
      const newest = applied.get(keyOf(event));
      if (!newest) return undefined;
      if (event.order !== undefined && event.order < newest.order)
        return `out of order: configurationStateId ${newest.order} was applied`;
      return event.at > 0 && event.at < newest.at
        ? `out of order: what AWS saw at ${new Date(newest.at).toISOString()} was applied`
        : undefined;
    },
    applied(event: ResourceEvent): void {
      const { order = 0, at } = applied.get(keyOf(event)) ?? { at: 0 };
      applied.set(keyOf(event), { order: Math.max(order, event.order ?? 0), at: Math.max(at, event.at) });
    },
  };
}
