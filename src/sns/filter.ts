import { CONFIG_TYPES } from "../events/config-item.ts";

/**
 * A body filter that lets through what `aec serve` can use: AWS Config's items of the types it reads, oversized ones
 * too, every EventBridge envelope, and aec's own test messages (SNS developer guide, subscription filter policies).
 */
export function bodyFilter(): object {
  const resourceType = Object.keys(CONFIG_TYPES);
  const present = [{ exists: true }];
  return {
    $or: [
      { configurationItem: { resourceType } },
      { configurationItemSummary: { resourceType } },
      { "detail-type": present },
      { aec: present },
    ],
  };
}
