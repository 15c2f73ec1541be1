import { isRegion } from "../../aws/places.ts";
import { usageError } from "../../errors.ts";

/** A queue to receive from. */
export interface QueueUrl {
  url: string;
  accountId: string;
  /** Undefined where the host does not tell. */
  region: string | undefined;
}

/**
 * `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`; a host without a Region is an emulator, in the command's Region.
 * Throws a usage error for what is no queue's.
 */
export function parseQueueUrl(text: string): QueueUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const accountId = /^\/(\d{12})\/[A-Za-z0-9_-]{1,80}$/.exec(url?.pathname ?? "")?.[1];
  if (!url || !accountId || !/^https?:$/.test(url.protocol)) {
    throw usageError("bad-queue-url", `--queue-url: "${text}" is not the URL of a queue`, {
      hint: "it looks like https://sqs.us-east-1.amazonaws.com/012345678901/aec-prod-events; aec sns status prints it",
    });
  }
  // sqs.REGION, sqs-fips.REGION, REGION.queue, vpce-….sqs.REGION.vpce, below any of AWS's suffixes.
  const region = url.hostname.split(".").find(isRegion);
  return { url: text, accountId, region };
}
