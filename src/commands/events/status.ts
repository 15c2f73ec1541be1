import { createEventBridge } from "../../aws/eventbridge.ts";
import { placesOf } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import { table } from "../../output/table.ts";
import { planRule } from "../../rules/plan.ts";
import { isOurs } from "../../sns/topology.ts";
import { describeChange } from "../change-lines.ts";
import { type PlaceResult, readInPlaces } from "../in-places.ts";
import { topicOf } from "../sns/options.ts";
import { type EventsOptions, everyRuleName, wantedRules } from "./options.ts";

export interface EventsStatusOptions extends EventsOptions {
  exitCode?: boolean | undefined;
}

/** `aec events status`: the rules that are there, and what differs from what `enable` would make. Changes nothing. */
export async function run(context: Context, options: EventsStatusOptions): Promise<CommandResult> {
  const wantedIn = wantedRules(context, options);
  const { environment } = topicOf(context, options);
  const names = everyRuleName(context, options);
  return readInPlaces(await placesOf(context, options), async (place): Promise<PlaceResult> => {
    const bridge = createEventBridge(context, place);
    const found = new Map(
      await Promise.all(names.map(async (name) => [name, await bridge.rule(name)] as const)),
    );
    const rules = names.flatMap((name) => {
      const rule = found.get(name);
      if (!rule) return [];
      const { enabled, targets, tags } = rule;
      return [{ name, enabled, ours: isOurs(tags, environment), targets: targets.map(({ arn }) => arn) }];
    });
    const drift = wantedIn(place)
      .filter(({ name }) => rules.find((rule) => rule.name === name)?.ours !== false)
      .map((rule) => planRule(rule, found.get(rule.name), environment).change)
      .filter(({ action }) => action !== "none");
    return {
      data: { region: place.region, rules, drift },
      exit: options.exitCode && drift.length > 0 ? EXIT.differences : EXIT.ok,
      text: (paint) =>
        [
          rules.length === 0
            ? "There are no rules of aec."
            : table(
                ["RULE", "STATE", "TARGETS"],
                rules.map(({ name, enabled, ours, targets }) => [
                  name,
                  enabled ? (ours ? "enabled" : "not tagged as aec's") : "disabled",
                  targets.join(", ") || "none",
                ]),
              ),
          ...drift.map((change) => paint.yellow(`drift  ${describeChange(change)}`)),
          ...(drift.length > 0 ? ["mend it with:  aec events enable"] : []),
        ].join("\n"),
    };
  });
}
