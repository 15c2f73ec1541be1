import { CONFIG_TYPES } from "../events/table.ts";

/** Of all messages that announce a change; the fewer alternatives, the more types fit in. */
const PREFIXES = ["ConfigurationItemChange", "OversizedConfigurationItemChange"] as const;

/**
 * A body filter that keeps AWS Config's noise away and lets everything else through: items of the types that
 * `aec serve` reads, oversized ones, EventBridge envelopes, and aec's own test messages, which have neither key.
 * Two plain keys, since SNS multiplies the lengths of all lists and stops at 150 (SNS developer guide, filter policy
 * constraints).
 */
export function bodyFilter(): object {
  const absent = { exists: false };
  return {
    messageType: [...PREFIXES.map((prefix) => ({ prefix })), absent],
    configurationItem: { resourceType: [...CONFIG_TYPES, absent] },
  };
}
