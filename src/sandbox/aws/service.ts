import type { Input } from "./input.ts";
import type { Protocol } from "./protocol.ts";

/** One API call as a handler sees it. */
export interface Call {
  region: string;
  input: Input;
  /** False for a visit to a SubscribeURL or UnsubscribeURL. */
  signed: boolean;
  /** Aborts when the caller goes away or the sandbox closes. */
  signal: AbortSignal;
}

/** The actions of one service by name; what a handler returns is the result structure. */
export type Actions = Readonly<Record<string, (call: Call) => unknown>>;

/** One AWS service of the sandbox. */
export interface Service {
  protocol: Protocol;
  actions: Actions;
}
