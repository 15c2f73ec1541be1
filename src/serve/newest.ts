import { LRUCache } from "lru-cache";
import type { ResourceEvent } from "../events/event.ts";

const MAX_RESOURCES = 50_000;

interface Place {
  /** `configurationStateId`; 0 where no item of AWS Config told it. */
  order: number;
  at: number;
}

/** Remembers the newest event of each resource, received and applied: messages come in any order. */
export function createNewest() {
  const received = new LRUCache<string, Place>({ max: MAX_RESOURCES });
  const applied = new LRUCache<string, Place>({ max: MAX_RESOURCES });
  const keyOf = ({ awsAccountId, region, type, name }: ResourceEvent) =>
    [awsAccountId, region, type, name].join("/");
  const advance = (places: typeof received, event: ResourceEvent) => {
    const { order, at } = places.get(keyOf(event)) ?? { order: 0, at: 0 };
    places.set(keyOf(event), { order: Math.max(order, event.order ?? 0), at: Math.max(at, event.at) });
  };
  const newerThan = (event: ResourceEvent, place: Place | undefined): string | undefined => {
    if (!place) return undefined;
    if (event.order !== undefined && event.order < place.order)
      return `configurationStateId ${place.order} is newer`;
    return event.at > 0 && event.at < place.at
      ? `what AWS saw at ${new Date(place.at).toISOString()} is newer`
      : undefined;
  };
  return {
    received: (event: ResourceEvent) => advance(received, event),
    applied: (event: ResourceEvent) => advance(applied, event),
    /** Why there is nothing left to do: something newer of the resource was applied. */
    outdated: (event: ResourceEvent) => newerThan(event, applied.get(keyOf(event))),
    /** Why the cache may well say something else: something newer of the resource has come. */
    overtaken: (event: ResourceEvent) => newerThan(event, received.get(keyOf(event))),
  };
}
