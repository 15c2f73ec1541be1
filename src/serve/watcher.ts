import type { ResourceType } from "../agents/kinds.ts";
import type { ResourceEvent } from "../events/event.ts";
import type { Fate } from "./receiving/memory.ts";

/** A message that is dealt with. */
export interface Settled {
  id: string;
  /** As it came. */
  body: string;
  via: "http" | "sqs";
  fate: Fate;
  /** Absent where it is about no resource. */
  event: ResourceEvent | undefined;
}

/** Who is told what happens: metrics, the recording. */
export interface Watcher {
  settled(message: Settled): void;
  refreshed(kind: ResourceType, verdict: "applied" | "stale" | "failed"): void;
  refused(result: "no-message" | "invalid" | "unavailable"): void;
  throttled(account: string, region: string): void;
  certificateFetched(): void;
  /** An agent was freed from a node that is gone. */
  healed(agent: string): void;
  /** A heartbeat arrived from a topic by a path (`sns` or `eventbridge`), so many ms after it was sent. */
  heartbeat(path: string, lagMs: number, at: number, topicArn: string): void;
}
