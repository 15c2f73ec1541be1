import { LRUCache } from "lru-cache";
import type { ResourceEvent } from "../../events/event.ts";

const MAX_RESOURCES = 50_000;

/**
 * Remembers the newest event of each resource, received and applied: messages come in any order. AWS's own times decide;
 * where they are equal the number that AWS Config counts the items of one resource by.
 */
export function createNewest() {
  const received = places();
  const applied = places();
  return {
    received: received.advance,
    applied: applied.advance,
    /** Why there is nothing left to do: something newer was applied. */
    outdated: applied.newer,
    /** Why the cache may well say something else: something newer has come. */
    overtaken: received.newer,
  };
}

function places() {
  const times = new LRUCache<string, number>({ max: MAX_RESOURCES });
  const orders = new LRUCache<string, number>({ max: MAX_RESOURCES });
  const keyOf = ({ awsAccountId, region, type, name }: ResourceEvent) =>
    [awsAccountId, region, type, name].join("/");
  return {
    advance(event: ResourceEvent): void {
      const { at, order } = event;
      const key = keyOf(event);
      times.set(key, Math.max(times.get(key) ?? 0, at));
      if (order) orders.set(order.item, Math.max(orders.get(order.item) ?? 0, order.id));
    },
    newer(event: ResourceEvent): string | undefined {
      const { at, order } = event;
      const newest = times.get(keyOf(event)) ?? 0;
      if (at > newest) return undefined;
      if (at > 0 && at < newest) return `what AWS saw at ${new Date(newest).toISOString()} is newer`;
      const id = order && orders.get(order.item);
      return order && id !== undefined && order.id < id ? `configurationStateId ${id} is newer` : undefined;
    },
  };
}
