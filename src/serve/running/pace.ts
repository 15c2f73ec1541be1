import PQueue from "p-queue";
import type { ResourceType } from "../../agents/kinds.ts";
import type { Clock } from "../../clock.ts";
import type { WorkItem } from "../../refresh/items.ts";
import type { Turns } from "../../refresh/turns.ts";
import { createTokenBucket, type TokenBucket } from "../../token-bucket.ts";

/** How fast AWS is asked, in each account and Region. */
export interface Pace {
  /** Does the work when its turn has come: the most urgent first, and slower where AWS throttles. */
  inTurn<T>(item: Pick<WorkItem, "account" | "region" | "type">, work: () => Promise<T>): Promise<T>;
  /** The same turns, but slower where AWS throttles. */
  slowing(turns: Turns): Turns;
  slowDown(account: string, region: string): void;
  /** Back to the usual pace, with a full bucket. */
  speedUp(account: string, region: string): void;
  /** `ACCOUNT/REGION` that are slowed down now. */
  slow(): string[];
}

/** One that is stuck must not keep the others waiting. */
const MAX_CONCURRENT = 8;
/** A run costs 1 to 50 calls; Clouddriver makes at most ten a second in each account and Region. */
const BURST = 16;
const REFILL_MS = 500;
const SLOW_REFILL_MS = 10_000;
/** Without a word that it is over. */
const SLOW_FOR_MS = 15 * 60_000;

/** What a deployment waits for comes first, what nobody waits for last. */
const URGENCY: Partial<Record<ResourceType, number>> = {
  "server-group": 2,
  "ecs-service": 2,
  "load-balancer": 2,
  "target-group": 2,
  function: 2,
  "security-group": 1,
  "launch-template": 1,
  stack: 1,
};

interface Lane {
  queue: PQueue;
  bucket: TokenBucket;
  slowUntil: number;
}

export function createPace(clock: Clock, signal: AbortSignal): Pace {
  const lanes = new Map<string, Lane>();
  const laneOf = (key: string): Lane => {
    const found = lanes.get(key);
    if (found) return found;
    const bucket = createTokenBucket(BURST, REFILL_MS, clock);
    const lane = { queue: new PQueue({ concurrency: MAX_CONCURRENT }), bucket, slowUntil: 0 };
    lanes.set(key, lane);
    return lane;
  };
  const usual = (lane: Lane) => {
    lane.slowUntil = 0;
    lane.bucket.setRefill(REFILL_MS);
  };
  return {
    inTurn({ account, region, type }, work) {
      const lane = laneOf(`${account}/${region}`);
      const priority = URGENCY[type] ?? 0;
      return lane.queue.add(
        async () => {
          if (lane.slowUntil !== 0 && clock.now() >= lane.slowUntil) usual(lane);
          await lane.bucket.take(signal);
          return work();
        },
        { priority },
      );
    },
    slowing: (turns) => ({
      ...turns,
      async ready(key) {
        await turns.ready(key);
        const lane = lanes.get(key);
        if (lane && lane.slowUntil > clock.now()) await lane.bucket.take(signal);
      },
    }),
    slowDown(account, region) {
      const lane = laneOf(`${account}/${region}`);
      lane.slowUntil = clock.now() + SLOW_FOR_MS;
      lane.bucket.setRefill(SLOW_REFILL_MS);
    },
    speedUp(account, region) {
      const lane = laneOf(`${account}/${region}`);
      usual(lane);
      lane.bucket.fill();
    },
    slow: () => [...lanes].flatMap(([key, { slowUntil }]) => (slowUntil > clock.now() ? [key] : [])),
  };
}
