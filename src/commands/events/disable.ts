import { createEventBridge } from "../../aws/eventbridge.ts";
import { type Place, placesOf } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import type { CommandResult } from "../../output/output.ts";
import { isOurs } from "../../sns/topology.ts";
import { describeChange, describeDone } from "../change-lines.ts";
import { type ApplyOptions, applyInPlaces, type Proposal } from "../in-places.ts";
import { topicOf } from "../sns/options.ts";
import { type EventsOptions, everyRuleName, TARGET_ID } from "./options.ts";

export interface EventsDisableOptions extends EventsOptions, ApplyOptions {}

/** `aec events disable`: takes our rules away; what is not tagged as ours stays, with the reason. */
export async function run(context: Context, options: EventsDisableOptions): Promise<CommandResult> {
  const { environment } = topicOf(context, options);
  const names = everyRuleName(context, options);
  const propose = async (place: Place): Promise<Proposal> => {
    const bridge = createEventBridge(context, place);
    const found = await Promise.all(names.map(async (name) => ({ name, rule: await bridge.rule(name) })));
    const changes = found.flatMap(({ name, rule }) => {
      if (!rule) return [];
      const ours = isOurs(rule.tags, environment);
      const resource = `rule ${name}`;
      const targets = rule.targets.flatMap(({ id }) => (id === TARGET_ID ? [id] : []));
      const others = rule.targets.filter(({ id }) => id !== TARGET_ID);
      if (ours && others.length > 0) {
        const reason = `kept for its other targets: ${others.map(({ arn }) => arn).join(", ")}`;
        return targets.length > 0
          ? [{ resource: `target of ${resource}`, action: "delete", reason, name, targets, whole: false }]
          : [{ resource, action: "kept", reason, name, targets, whole: false }];
      }
      return ours
        ? [{ resource, action: "delete", reason: "", name, targets, whole: true }]
        : [{ resource, action: "kept", reason: "not tagged as aec's", name, targets: [], whole: false }];
    });
    const deleted = changes.filter(({ action }) => action === "delete");
    const data = {
      region: place.region,
      changes: changes.map(({ resource, action, reason }) => ({
        resource,
        action,
        ...(reason && { reason }),
      })),
    };
    const lines = changes.map(({ resource, action, reason }) =>
      describeChange({ resource, action, detail: reason }),
    );
    return {
      data,
      lines,
      differs: deleted.length > 0,
      apply: async () => {
        for (const { name, targets, whole } of deleted) {
          // A rule can be deleted only without targets.
          if (targets.length > 0) await bridge.removeTargets(name, targets);
          if (whole) await bridge.deleteRule(name);
        }
        return {
          data,
          text: () =>
            deleted.length > 0
              ? lines.map(describeDone).join("\n")
              : [...lines, "No rule to delete."].join("\n"),
        };
      },
    };
  };
  return applyInPlaces(context, await placesOf(context, options), propose, options);
}
