import { usageError } from "../errors.ts";
import { API_CALLS } from "../events/api-call.ts";
import { CONFIG_TYPES } from "../events/config-item.ts";
import { API_CALL, CONFIG_CHANGE, SCALING_EVENTS } from "../events/envelope.ts";
import { EC2_EVENTS, ECS_EVENTS, STACK_EVENT } from "../events/service-event.ts";
import { nearest } from "../nearest.ts";

/** Groups of EventBridge events, each with a rule of its own. */
export const RULE_KINDS = ["autoscaling", "cloudtrail", "config", "ec2", "ecs", "cloudformation"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** What each rule says of itself in AWS. */
export const RULE_DESCRIPTION = "Events for Spinnaker's cache, managed by aec";

interface Kind {
  pattern: object;
}

/** The rules with their event patterns: only what changes something that Clouddriver caches. */
export const RULES: Readonly<Record<RuleKind, Kind>> = {
  autoscaling: {
    pattern: { source: ["aws.autoscaling"], "detail-type": Object.values(SCALING_EVENTS) },
  },
  cloudtrail: {
    pattern: {
      "detail-type": [API_CALL],
      detail: {
        eventSource: Object.keys(API_CALLS),
        eventName: [...new Set(Object.values(API_CALLS).flatMap(({ calls }) => calls))],
        errorCode: [{ exists: false }],
      },
    },
  },
  // The same items that the delivery channel publishes, where that belongs to somebody else.
  config: {
    pattern: {
      source: ["aws.config"],
      "detail-type": [CONFIG_CHANGE],
      detail: { configurationItem: { resourceType: Object.keys(CONFIG_TYPES) } },
    },
  },
  ec2: { pattern: { source: ["aws.ec2"], "detail-type": Object.values(EC2_EVENTS) } },
  ecs: { pattern: { source: ["aws.ecs"], "detail-type": Object.values(ECS_EVENTS) } },
  cloudformation: { pattern: { source: ["aws.cloudformation"], "detail-type": [STACK_EVENT] } },
};

const MAX_NAME = 64;

/** The rules that there may be for a topic: a name that is too long was never made. */
export function everyRuleNameOf(topicName: string): string[] {
  return RULE_KINDS.map((kind) => `${topicName}-${kind}`).filter((name) => name.length <= MAX_NAME);
}

/** `aec-prod-autoscaling`. Throws a usage error where EventBridge would refuse the name. */
export function ruleName(topicName: string, kind: RuleKind): string {
  const name = `${topicName}-${kind}`;
  if (name.length <= MAX_NAME) return name;
  throw usageError(
    "bad-topic-name",
    `"${name}" is too long for a rule (${name.length} of ${MAX_NAME} characters)`,
    {
      hint: "choose a shorter --topic-name",
    },
  );
}

/** Throws a usage error, with the nearest, for a kind that is none. */
export function checkRuleKind(kind: string): RuleKind {
  const known = RULE_KINDS.find((name) => name === kind);
  if (known) return known;
  const suggestion = nearest(kind, RULE_KINDS);
  throw usageError("unknown-rule", `--rules: "${kind}" is no kind of events`, {
    hint: suggestion ? `did you mean "${suggestion}"?` : `there are: ${RULE_KINDS.join(", ")}`,
  });
}
