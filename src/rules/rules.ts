import { usageError } from "../errors.ts";
import { API_CALL, CONFIG_CHANGE } from "../events/envelope.ts";
import { HEARTBEAT_SOURCE } from "../events/heartbeat.ts";
import { ALARM_EVENT, QUOTA_EVENT, QUOTA_SOURCE } from "../events/pressure.ts";
import { CONFIG_TYPES, TABLE } from "../events/table.ts";
import { nearest } from "../nearest.ts";

/** Groups of EventBridge events, each with a rule of its own. */
export const RULE_KINDS = [
  "autoscaling",
  "cloudtrail",
  "config",
  "ec2",
  "ecs",
  "cloudformation",
  "lambda",
  "iam",
  "throttling",
  "heartbeat",
] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** What each rule says of itself in AWS. */
export const RULE_DESCRIPTION = "Events for Spinnaker's cache, managed by aec";

const LAMBDA = "lambda.amazonaws.com";
const IAM = "iam.amazonaws.com";
const EVERYTHING_ELSE = [
  ...new Set(
    TABLE.flatMap(({ source, event }) =>
      source === "cloudtrail" && event !== LAMBDA && event !== IAM ? [event] : [],
    ),
  ),
];

/** The rules' event patterns: only what changes something that Clouddriver caches. */
export const RULES: Readonly<Record<RuleKind, object>> = {
  autoscaling: ofService("aws.autoscaling"),
  cloudtrail: ofCalls(EVERYTHING_ELSE),
  // The same items that the delivery channel publishes, where that belongs to somebody else.
  config: {
    source: ["aws.config"],
    "detail-type": [CONFIG_CHANGE],
    detail: { configurationItem: { resourceType: CONFIG_TYPES } },
  },
  ec2: ofService("aws.ec2"),
  ecs: ofService("aws.ecs"),
  cloudformation: ofService("aws.cloudformation"),
  // Neither sends events of its own.
  lambda: ofCalls([LAMBDA]),
  iam: ofCalls([IAM]),
  throttling: {
    source: ["aws.cloudwatch", QUOTA_SOURCE],
    "detail-type": [ALARM_EVENT, API_CALL, QUOTA_EVENT],
  },
  heartbeat: { source: [HEARTBEAT_SOURCE] },
};

/** IAM is one for all Regions; its calls are told of in one of each partition. */
export const IAM_REGIONS: ReadonlySet<string> = new Set([
  "us-east-1",
  "cn-north-1",
  "us-gov-west-1",
  "eusc-de-east-1",
]);

function ofService(from: string): object {
  const used = TABLE.filter((row) => row.from === from && row.kind !== undefined);
  return { source: [from], "detail-type": used.map(({ event }) => event) };
}

function ofCalls(eventSources: readonly string[]): object {
  const calls = TABLE.flatMap(({ event, calls: told }) => (eventSources.includes(event) ? (told ?? []) : []));
  return {
    "detail-type": [API_CALL],
    detail: {
      eventSource: eventSources,
      eventName: [...new Set(calls)],
      errorCode: [{ exists: false }],
    },
  };
}

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
