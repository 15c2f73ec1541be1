import { CHANGES, CONFIG_TYPES } from "../events/config-item.ts";

/**
 * A body filter that keeps AWS Config's noise away and lets everything else through: items of the types that
 * `aec serve` reads, oversized ones, EventBridge envelopes, and aec's own test messages, which have neither key.
 * Two plain keys, since SNS multiplies the lengths of all lists and stops at 150 (SNS developer guide, filter policy
 * constraints).
 */
export function bodyFilter(): object {
  const absent = { exists: false };
  return {
    messageType: [...Object.keys(CHANGES), absent],
    configurationItem: { resourceType: [...Object.keys(CONFIG_TYPES), absent] },
  };
}
