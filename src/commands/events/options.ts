import type { Target } from "../../aws/eventbridge.ts";
import type { Place, PlaceOptions } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import type { WantedRule } from "../../rules/plan.ts";
import {
  checkRuleKind,
  everyRuleNameOf,
  IAM_REGIONS,
  RULES,
  type RuleKind,
  ruleName,
} from "../../rules/rules.ts";
import { checkTopicArn, topicArn } from "../../sns/topology.ts";
import { type SnsOptions, topicOf } from "../sns/options.ts";

export interface EventsOptions extends PlaceOptions, Pick<SnsOptions, "topicName"> {
  /** A topic of another account. */
  topicArn?: string | undefined;
  /** The role with which EventBridge publishes to it. */
  targetRoleArn?: string | undefined;
  cloudtrail?: boolean | undefined;
  /** Config's items by a rule, where the delivery channel is somebody else's. */
  configItems?: boolean | undefined;
  rules?: string[] | undefined;
}

/** The target's id within each rule. */
export const TARGET_ID = "aec-topic";

/** The rules that the options want in a place. */
export function wantedRules(
  context: Context,
  options: EventsOptions,
): (place: Pick<Place, "accountId" | "partition" | "region">) => WantedRule[] {
  const { topicName } = topicOf(context, options);
  const kinds = chosenKinds(options);
  return (place) => {
    const target: Target = {
      id: TARGET_ID,
      arn: options.topicArn
        ? checkTopicArn(options.topicArn, place.region)
        : topicArn({ ...place, topicName }),
      roleArn: options.targetRoleArn,
    };
    const here = kinds.filter((kind) => kind !== "iam" || IAM_REGIONS.has(place.region));
    return here.map((kind) => ({
      name: ruleName(topicName, kind),
      pattern: RULES[kind],
      target,
    }));
  };
}

/** Names of all rules that `enable` may have made. */
export function everyRuleName(context: Context, options: EventsOptions): string[] {
  const { topicName } = topicOf(context, options);
  return everyRuleNameOf(topicName);
}

/** --rules, else what `aec serve` uses and costs nothing; --cloudtrail and --config-items add theirs. */
function chosenKinds({ rules, cloudtrail, configItems }: EventsOptions): RuleKind[] {
  const kinds = new Set<RuleKind>((rules ?? ["autoscaling"]).map(checkRuleKind));
  if (cloudtrail) kinds.add("cloudtrail");
  if (configItems) kinds.add("config");
  return [...kinds];
}
