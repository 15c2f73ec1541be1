import { isDeepStrictEqual } from "node:util";
import type { FoundRule, Target } from "../aws/eventbridge.ts";
import { failure } from "../errors.ts";
import { orderFree } from "../order-free.ts";
import { isOurs } from "../sns/topology.ts";

export interface WantedRule {
  name: string;
  pattern: object;
  target: Target;
}

export interface RuleChange {
  resource: string;
  action: "create" | "update" | "none";
  detail?: string;
}

/** What to do about one rule. */
export interface RulePlan {
  change: RuleChange;
  wanted: WantedRule;
  putRule: boolean;
  putTarget: boolean;
}

/** Compares a rule with what is wanted; other targets of it stay. Throws where it is somebody else's. */
export function planRule(wanted: WantedRule, found: FoundRule | undefined, environment: string): RulePlan {
  const resource = `rule ${wanted.name}`;
  if (!found) return { change: { resource, action: "create" }, wanted, putRule: true, putTarget: true };
  if (!isOurs(found.tags, environment)) {
    throw failure(
      "not-ours",
      `${resource} exists and is not tagged as aec's for environment "${environment}"`,
      { hint: "choose another --topic-name: rules are named after it" },
    );
  }
  const samePattern = samePatterns(JSON.parse(found.pattern), wanted.pattern);
  const putRule = !samePattern || !found.enabled;
  const putTarget = !found.targets.some((target) => isDeepStrictEqual(target, wanted.target));
  const details = [
    ...(samePattern ? [] : ["pattern"]),
    ...(found.enabled ? [] : ["is disabled"]),
    ...(putTarget ? ["target"] : []),
  ];
  const change: RuleChange =
    details.length > 0
      ? { resource, action: "update", detail: details.join(", ") }
      : { resource, action: "none" };
  return { change, wanted, putRule, putTarget };
}

/** Lists in patterns are alternatives, whose order means nothing. */
function samePatterns(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(orderFree(one), orderFree(other));
}
