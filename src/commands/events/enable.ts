import { createEventBridge, type EventBridge } from "../../aws/eventbridge.ts";
import { type Place, placesOf } from "../../aws/places.ts";
import { createSns } from "../../aws/sns.ts";
import type { Context } from "../../context.ts";
import { failure, usageError } from "../../errors.ts";
import { parseTopicArn } from "../../events/signing-host.ts";
import type { CommandResult } from "../../output/output.ts";
import { planRule, type RulePlan } from "../../rules/plan.ts";
import { RULE_DESCRIPTION } from "../../rules/rules.ts";
import { letsPublish, parsePolicy } from "../../sns/policy.ts";
import { ownershipTags } from "../../sns/topology.ts";
import { describeChange } from "../change-lines.ts";
import { type ApplyOptions, applyInPlaces, type Proposal } from "../in-places.ts";
import { topicOf } from "../sns/options.ts";
import { type EventsOptions, wantedRules } from "./options.ts";

export interface EventsEnableOptions extends EventsOptions, ApplyOptions {
  export?: "cloudformation" | undefined;
}

/** `aec events enable`: EventBridge rules that send AWS's own events to the topic. */
export async function run(context: Context, options: EventsEnableOptions): Promise<CommandResult> {
  const wantedIn = wantedRules(context, options);
  const { environment } = topicOf(context, options);
  if (options.export) {
    const { rulesTemplate } = await import("../../rules/template.ts");
    return rulesTemplate(environment, wantedIn);
  }
  const propose = async (place: Place): Promise<Proposal> => {
    const wanted = wantedIn(place);
    const bridge = createEventBridge(context, place);
    const target = wanted[0]?.target;
    if (target) await assertReachable(context, place, target.arn, target.roleArn);
    const plans = await Promise.all(
      wanted.map(async (rule) => planRule(rule, await bridge.rule(rule.name), environment)),
    );
    const changes = plans.map(({ change }) => change);
    const differs = changes.some(({ action }) => action !== "none");
    const data = { region: place.region, topicArn: target?.arn ?? null, changes };
    return {
      data,
      lines: changes.map(describeChange),
      differs,
      apply: async () => {
        for (const plan of plans) await applyRule(bridge, plan, environment);
        const names = wanted.map(({ name }) => name).join(", ");
        return {
          data,
          text: () => (differs ? `${names} → ${target?.arn}` : "The rules are as wanted: nothing to change."),
        };
      },
    };
  };
  return applyInPlaces(context, await placesOf(context, options), propose, options);
}

/** EventBridge publishes into another account only with a role (EventBridge user guide, cross-account targets). */
async function assertReachable(
  context: Context,
  place: Place,
  arn: string,
  role: string | undefined,
): Promise<void> {
  if (parseTopicArn(arn)?.accountId !== place.accountId) {
    if (role !== undefined) {
      context.out.warn(
        `the policy of ${arn} has to let ${role} publish: aec sns create --publisher-role ${role}, in its account`,
      );
      return;
    }
    throw usageError(
      "target-role-needed",
      `${arn} is in another account than the rules (${place.accountId})`,
      {
        hint: "add --target-role-arn, a role that events.amazonaws.com may assume and that may publish to it; or make a topic here with: aec sns create",
      },
    );
  }
  const topic = await createSns(context, place).topic(arn);
  if (!topic) {
    throw failure("no-topic", `there is no topic ${arn}`, {
      hint: "aec sns create makes it; --topic-name or --topic-arn name another",
    });
  }
  const key = topic.attributes.KmsMasterKeyId ?? "";
  if (/alias\/aws\//.test(key)) {
    throw failure(
      "topic-encrypted",
      `${arn} is encrypted with ${key}: EventBridge cannot publish with that key`,
      {
        hint: "use a customer-managed key that lets events.amazonaws.com in",
      },
    );
  }
  if (role === undefined && !letsPublish(parsePolicy(topic.attributes.Policy), "events.amazonaws.com")) {
    throw failure("topic-closed", `the policy of ${arn} does not let EventBridge publish`, {
      hint: "aec sns create mends the policy of a topic of aec's",
    });
  }
}

async function applyRule(
  bridge: EventBridge,
  { wanted, change, putRule, putTarget }: RulePlan,
  environment: string,
): Promise<void> {
  const tags = change.action === "create" ? ownershipTags(environment) : undefined;
  if (putRule)
    await bridge.putRule(wanted.name, { pattern: wanted.pattern, description: RULE_DESCRIPTION }, tags);
  if (putTarget) await bridge.putTarget(wanted.name, wanted.target);
}
