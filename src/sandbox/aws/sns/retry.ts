import { asRecord, type Input, parseObject } from "../input.ts";
import { invalidParameter } from "./error.ts";

/** `healthyRetryPolicy` of an HTTP(S) subscription; delays in seconds. */
export interface RetryPolicy {
  minDelayTarget: number;
  maxDelayTarget: number;
  numRetries: number;
  numMaxDelayRetries: number;
  numNoDelayRetries: number;
  numMinDelayRetries: number;
  backoffFunction: string;
}

/** What AWS does unless told otherwise: 3 retries 20 s apart. */
const DEFAULT_RETRY_POLICY: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: "linear",
};

const DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8";
const MAX_TOTAL_SECONDS = 3600;

/** Position between the shortest and the longest delay at `t` of 0 to 1. AWS publishes curves, no formulas. */
const BACKOFF: Readonly<Record<string, (t: number, policy: RetryPolicy) => number>> = {
  linear: (t, { minDelayTarget: min, maxDelayTarget: max }) => min + (max - min) * t,
  arithmetic: (t, { minDelayTarget: min, maxDelayTarget: max }) => min + ((max - min) * (t + t * t)) / 2,
  geometric: (t, { minDelayTarget: min, maxDelayTarget: max }) => min * (max / min) ** t,
  exponential: (t, { minDelayTarget: min, maxDelayTarget: max }) => min * (max / min) ** t,
};

/**
 * The waits in ms before each retry: immediate, pre-backoff, backoff and post-backoff phases, cut off where their
 * sum passes 3,600 s (SNS developer guide, message delivery retries). AWS adds jitter; this does not.
 */
export function retryDelays(policy: RetryPolicy): number[] {
  const { numRetries, numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries } = policy;
  const backoffs = Math.max(0, numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries);
  const curve = BACKOFF[policy.backoffFunction] ?? (() => policy.minDelayTarget);
  const seconds: number[] = [
    ...Array<number>(numNoDelayRetries).fill(0),
    ...Array<number>(numMinDelayRetries).fill(policy.minDelayTarget),
    // The power of a ratio may pass the longest delay by a rounding error.
    ...Array.from({ length: backoffs }, (_, i) =>
      Math.min(policy.maxDelayTarget, curve(backoffs > 1 ? i / (backoffs - 1) : 0, policy)),
    ),
    ...Array<number>(numMaxDelayRetries).fill(policy.maxDelayTarget),
  ];
  let left = MAX_TOTAL_SECONDS;
  const beyond = seconds.findIndex((delay) => {
    left -= delay;
    return left < 0;
  });
  return seconds.slice(0, beyond < 0 ? undefined : beyond).map((delay) => delay * 1000);
}

/** The delivery policy in force for one HTTP(S) subscription. */
export interface EffectivePolicy {
  retry: RetryPolicy;
  contentType: string;
}

/** Merges the DeliveryPolicy attributes of a topic and a subscription over AWS's defaults. */
export function effectivePolicy(topicPolicy: string | undefined, ownPolicy?: string): EffectivePolicy {
  const http = asRecord(parseObject(topicPolicy ?? "")?.http) ?? {};
  const own = http.disableSubscriptionOverrides === true ? {} : (parseObject(ownPolicy ?? "") ?? {});
  const contentType =
    asRecord(own.requestPolicy)?.headerContentType ?? asRecord(http.defaultRequestPolicy)?.headerContentType;
  return {
    retry: {
      ...DEFAULT_RETRY_POLICY,
      ...asRecord(http.defaultHealthyRetryPolicy),
      ...asRecord(own.healthyRetryPolicy),
    },
    contentType: typeof contentType === "string" ? contentType : DEFAULT_CONTENT_TYPE,
  };
}

/** Throws InvalidParameter unless `value` is a DeliveryPolicy for a topic (`http` member) or a subscription. */
export function checkDeliveryPolicy(value: string, of: "topic" | "subscription"): void {
  const refuse = (reason: string) => invalidParameter(`DeliveryPolicy: ${reason}`);
  const document = parseObject(value);
  if (!document) throw refuse("failed to parse JSON.");
  const retry: Input | undefined =
    of === "topic"
      ? asRecord(asRecord(document.http)?.defaultHealthyRetryPolicy)
      : asRecord(document.healthyRetryPolicy);
  if (!retry) return;
  const policy = { ...DEFAULT_RETRY_POLICY, ...retry };
  const { backoffFunction, ...numbers } = policy;
  for (const [name, number] of Object.entries(numbers)) {
    if (!Number.isInteger(number) || number < 0)
      throw refuse(`healthyRetryPolicy.${name} must be an integer`);
  }
  if (policy.numRetries > 100)
    throw refuse("healthyRetryPolicy.numRetries must be less than or equal to 100");
  if (policy.minDelayTarget < 1 || policy.minDelayTarget > policy.maxDelayTarget) {
    throw refuse("healthyRetryPolicy.minDelayTarget must be between 1 and maxDelayTarget");
  }
  if (policy.maxDelayTarget > MAX_TOTAL_SECONDS) {
    throw refuse(`healthyRetryPolicy.maxDelayTarget must be less than or equal to ${MAX_TOTAL_SECONDS}`);
  }
  if (policy.numNoDelayRetries + policy.numMinDelayRetries + policy.numMaxDelayRetries > policy.numRetries) {
    throw refuse("healthyRetryPolicy.numRetries must be at least the sum of the phases' retries");
  }
  if (!Object.hasOwn(BACKOFF, backoffFunction)) throw refuse("healthyRetryPolicy.backoffFunction is unknown");
}
