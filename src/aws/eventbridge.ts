import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import type { Context } from "../context.ts";
import { failure } from "../errors.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall, isMissing } from "./errors.ts";
import type { Place } from "./places.ts";
import { tagList, tagsOf } from "./tags.ts";

export interface FoundRule {
  arn: string;
  /** JSON. */
  pattern: string;
  enabled: boolean;
  tags: Readonly<Record<string, string>>;
  targets: readonly Target[];
}

export interface Target {
  id: string;
  arn: string;
  roleArn: string | undefined;
}

/** The EventBridge calls that `aec` makes, on the default bus of one account and Region. */
export function createEventBridge(context: Context, place: Place) {
  const client = watchCalls(new EventBridgeClient(clientConfig(context, place, "EVENTBRIDGE")), context);
  return {
    putEvent: (source: string, detailType: string, detail: string) =>
      awsCall("events:PutEvents", () =>
        client.send(
          new PutEventsCommand({ Entries: [{ Source: source, DetailType: detailType, Detail: detail }] }),
        ),
      ),
    /** The rule with tags and targets, or undefined. */
    async rule(name: string): Promise<FoundRule | undefined> {
      const rule = await awsCall("events:DescribeRule", () =>
        client.send(new DescribeRuleCommand({ Name: name })),
      ).catch((error) => {
        if (isMissing(error, /^ResourceNotFoundException$/)) return undefined;
        throw error;
      });
      if (!rule) return undefined;
      const arn = rule.Arn ?? "";
      const [{ Tags }, { Targets = [] }] = await Promise.all([
        awsCall("events:ListTagsForResource", () =>
          client.send(new ListTagsForResourceCommand({ ResourceARN: arn })),
        ),
        awsCall("events:ListTargetsByRule", () => client.send(new ListTargetsByRuleCommand({ Rule: name }))),
      ]);
      return {
        arn,
        pattern: rule.EventPattern ?? "{}",
        enabled: rule.State !== "DISABLED",
        tags: tagsOf(Tags),
        targets: Targets.map(({ Id, Arn, RoleArn }) => ({ id: Id ?? "", arn: Arn ?? "", roleArn: RoleArn })),
      };
    },
    /** Makes or changes the rule; tags count for a new one only. */
    putRule: (
      name: string,
      { pattern, description }: { pattern: object; description: string },
      tags: Readonly<Record<string, string>> | undefined,
    ) =>
      awsCall("events:PutRule", () =>
        client.send(
          new PutRuleCommand({
            Name: name,
            EventPattern: JSON.stringify(pattern),
            State: "ENABLED",
            Description: description,
            Tags: tags && tagList(tags),
          }),
        ),
      ),
    putTarget: (rule: string, { id, arn, roleArn }: Target) =>
      awsCall("events:PutTargets", async () => {
        const { FailedEntries = [] } = await client.send(
          new PutTargetsCommand({ Rule: rule, Targets: [{ Id: id, Arn: arn, RoleArn: roleArn }] }),
        );
        refuse(rule, FailedEntries);
      }),
    removeTargets: (rule: string, ids: readonly string[]) =>
      awsCall("events:RemoveTargets", async () => {
        const { FailedEntries = [] } = await client.send(
          new RemoveTargetsCommand({ Rule: rule, Ids: [...ids] }),
        );
        refuse(rule, FailedEntries);
      }),
    deleteRule: (name: string) =>
      awsCall("events:DeleteRule", () => client.send(new DeleteRuleCommand({ Name: name }))),
  };
}

/** A target may fail although the call succeeds (API reference, PutTargets). */
function refuse(
  rule: string,
  entries: readonly { ErrorCode?: string | undefined; ErrorMessage?: string | undefined }[],
): void {
  const [first] = entries;
  if (!first) return;
  throw failure("target-refused", `EventBridge refused the target of rule ${rule}: ${first.ErrorMessage}`, {
    detail: first.ErrorCode,
  });
}

export type EventBridge = ReturnType<typeof createEventBridge>;
