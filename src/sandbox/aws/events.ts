import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { arn, arnRegion, groupArn } from "./arn.ts";
import { awsError, isAwsError } from "./error.ts";
import { type Input, integer, optionalText, parseObject, records, tagMap, text, texts } from "./input.ts";
import type { AutoScalingGroup, Change, Inventory } from "./inventory.ts";
import { page } from "./paging.ts";
import { matchesPattern } from "./pattern.ts";
import { jsonProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";
import type { SnsModel } from "./sns/model.ts";
import type { SqsModel } from "./sqs.ts";

/** One rule of the default bus. */
interface Rule {
  name: string;
  arn: string;
  region: string;
  pattern: string;
  state: string;
  description: string | undefined;
  tags: Map<string, string>;
  /** As given; by Id. */
  targets: Map<string, Input>;
}

/** EventBridge in process: the default bus of every Region. */
export interface EventsModel {
  /** By ARN. */
  readonly rules: ReadonlyMap<string, Rule>;
  /** Puts an event of an AWS service on the bus, and hands it to the targets of every rule that matches. */
  emit(
    region: string,
    event: { source: string; detailType: string; resources?: string[]; detail: object },
  ): void;
}

export interface EventsWorld {
  clock: Clock;
  account: string;
  inventory: Inventory;
  sns: SnsModel;
  sqs: SqsModel;
}

const PAGE_SIZE = 100;
const KIND = "auto-scaling-group";

/** An EventBridge without rules; changes of Auto Scaling groups become the events that AWS sends of them. */
export function createEvents(world: EventsWorld): { model: EventsModel; service: Service } {
  const { clock, account, sns, sqs } = world;
  const rules = new Map<string, Rule>();

  const ruleArn = (region: string, name: string) => arn("events", region, account, `rule/${name}`);
  const ruleOf = (region: string, name: string): Rule => {
    const found = rules.get(ruleArn(region, name));
    if (!found)
      throw awsError("ResourceNotFoundException", `Rule ${name} does not exist on EventBus default.`);
    return found;
  };
  const ruleOfArn = (input: Input): Rule => {
    const found = rules.get(text(input, "ResourceARN"));
    if (!found) throw awsError("ResourceNotFoundException", "Rule does not exist on EventBus default.");
    return found;
  };

  function deliver(rule: Rule, body: string): void {
    for (const target of rule.targets.values()) {
      const targetArn = text(target, "Arn");
      try {
        const asService = {
          service: "events.amazonaws.com",
          sourceAccount: account,
          sourceArn: rule.arn,
        } as const;
        if (targetArn.includes(":sqs:")) sqs.sendFromService(targetArn, body, asService);
        else sns.publishAs({ topicArn: targetArn, message: body, ...asService });
      } catch (error) {
        // EventBridge drops what it may not deliver, and the publisher never learns of it.
        if (!isAwsError(error)) throw error;
      }
    }
  }

  const model: EventsModel = {
    rules,
    emit(region, { source, detailType, resources = [], detail }) {
      const event = {
        version: "0",
        id: randomUUID(),
        "detail-type": detailType,
        source,
        account,
        time: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z"),
        region,
        resources,
        detail,
      };
      for (const rule of rules.values()) {
        const matches = rule.region === region && rule.state === "ENABLED";
        if (matches && matchesPattern(parseObject(rule.pattern), event)) deliver(rule, JSON.stringify(event));
      }
    },
  };
  world.inventory.onChange((change) => {
    for (const event of scalingEvents(change, account)) model.emit(change.region, event);
  });

  const service: Service = {
    protocol: jsonProtocol("1.1"),
    actions: {
      PutRule: ({ region, input }) => {
        const name = text(input, "Name");
        if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) throw awsError("ValidationException", "Invalid rule name");
        const pattern = text(input, "EventPattern");
        if (!parseObject(pattern)) {
          throw awsError("InvalidEventPatternException", "Event pattern is not valid. Reason: not an object");
        }
        const known = rules.get(ruleArn(region, name));
        const rule: Rule = {
          name,
          arn: ruleArn(region, name),
          region,
          pattern,
          state: optionalText(input, "State") ?? "ENABLED",
          description: optionalText(input, "Description"),
          // Tags of an existing rule stay as they are, whatever is given (API reference, PutRule).
          tags: known?.tags ?? tagMap(input, "Tags"),
          targets: known?.targets ?? new Map(),
        };
        rules.set(rule.arn, rule);
        return { RuleArn: rule.arn };
      },
      DescribeRule: ({ region, input }) => shown(ruleOf(region, text(input, "Name"))),
      ListRules: ({ region, input }) => {
        const prefix = optionalText(input, "NamePrefix") ?? "";
        const own = [...rules.values()].filter(
          (rule) => rule.region === region && rule.name.startsWith(prefix),
        );
        const size = integer(input, "Limit") ?? PAGE_SIZE;
        const { items, next } = page(own, optionalText(input, "NextToken"), size);
        return { Rules: items.map(shown), NextToken: next };
      },
      DeleteRule: ({ region, input }) => {
        const rule = rules.get(ruleArn(region, text(input, "Name")));
        if (rule && rule.targets.size > 0) {
          throw awsError("ValidationException", "Rule can't be deleted since it has targets.");
        }
        if (rule) rules.delete(rule.arn);
      },
      PutTargets: ({ region, input }) => {
        const rule = ruleOf(region, text(input, "Rule"));
        for (const target of records(input, "Targets")) {
          if (arnRegion(text(target, "Arn")) !== region) {
            throw awsError(
              "ValidationException",
              "Parameter Arn is not valid. Reason: target in another Region.",
            );
          }
          rule.targets.set(text(target, "Id"), target);
        }
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
      RemoveTargets: ({ region, input }) => {
        const rule = ruleOf(region, text(input, "Rule"));
        for (const id of texts(input, "Ids")) rule.targets.delete(id);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
      ListTargetsByRule: ({ region, input }) => ({
        Targets: [...ruleOf(region, text(input, "Rule")).targets.values()],
      }),
      PutEvents: ({ region, input }) => {
        const Entries = records(input, "Entries").map((entry) => {
          const source = text(entry, "Source");
          if (source.startsWith("aws.")) {
            return {
              ErrorCode: "NotAuthorizedForSourceException",
              ErrorMessage: `Not authorized for the source ${source}.`,
            };
          }
          const detail = parseObject(text(entry, "Detail")) ?? {};
          model.emit(region, { source, detailType: text(entry, "DetailType"), detail });
          return { EventId: randomUUID() };
        });
        return { FailedEntryCount: Entries.filter((entry) => "ErrorCode" in entry).length, Entries };
      },
      ListTagsForResource: ({ input }) => ({
        Tags: [...ruleOfArn(input).tags].map(([Key, Value]) => ({ Key, Value })),
      }),
      TagResource: ({ input }) => {
        const { tags } = ruleOfArn(input);
        for (const [key, value] of tagMap(input, "Tags")) tags.set(key, value);
      },
    },
  };
  return { model, service };
}

function shown({ name, arn: Arn, pattern, state, description }: Rule) {
  return {
    Name: name,
    Arn,
    EventPattern: pattern,
    State: state,
    Description: description,
    EventBusName: "default",
  };
}

/** One event for each instance that came or went (Auto Scaling user guide, event reference). */
function scalingEvents(change: Change, account: string) {
  if (change.kind !== KIND) return [];
  const before = (change.before as AutoScalingGroup | undefined)?.instanceIds ?? [];
  const after = (change.after as AutoScalingGroup | undefined)?.instanceIds ?? [];
  const event = (detailType: string, id: string) => ({
    source: "aws.autoscaling",
    detailType,
    resources: [
      groupArn(change.region, account, change.key),
      arn("ec2", change.region, account, `instance/${id}`),
    ],
    detail: {
      StatusCode: "InProgress",
      AutoScalingGroupName: change.key,
      EC2InstanceId: id,
      Cause: "the sandbox changed the group",
      ActivityId: randomUUID(),
    },
  });
  return [
    ...after.filter((id) => !before.includes(id)).map((id) => event("EC2 Instance Launch Successful", id)),
    ...before.filter((id) => !after.includes(id)).map((id) => event("EC2 Instance Terminate Successful", id)),
  ];
}
