import { tagList } from "../aws/tags.ts";
import { ANY_PLACE, type Resource, templateResult } from "../cloudformation/template.ts";
import type { CommandResult } from "../output/output.ts";
import { deadLetterQueueAttributes, eventQueueAttributes, subscriptionAttributes } from "./attributes.ts";
import { type ObservedTopology, planTopology } from "./plan.ts";
import { parsePolicy } from "./policy.ts";
import {
  deadLetterQueueName,
  eventQueueName,
  ownershipTags,
  topicArn,
  usesQueue,
  type WantedTopology,
} from "./topology.ts";

const NOTHING: ObservedTopology = {
  topic: undefined,
  deadLetterQueue: undefined,
  eventQueue: undefined,
  subscription: undefined,
};

/** What `sns create` would make, as a template for the account and Region of its stack. */
export function topologyTemplate(wantedIn: (place: typeof ANY_PLACE) => WantedTopology): CommandResult {
  const wanted = wantedIn(ANY_PLACE);
  const plan = planTopology(wanted, NOTHING);
  const Tags = tagList(ownershipTags(wanted.environment));
  const { RawMessageDelivery, ...documents } = subscriptionAttributes(wanted);
  const { Policy, MessageRetentionPeriod } = deadLetterQueueAttributes(wanted, undefined);
  const resources: Record<string, Resource> = {
    Topic: {
      Type: "AWS::SNS::Topic",
      Properties: { TopicName: wanted.topicName, ...plan.topicAttributes, Tags },
    },
    TopicPolicy: {
      Type: "AWS::SNS::TopicPolicy",
      Properties: {
        Topics: [{ Ref: "Topic" }],
        PolicyDocument: { ...plan.policy, Statement: [owner(wanted), ...(plan.policy?.Statement ?? [])] },
      },
    },
    ...(wanted.deadLetterQueue && {
      ...queue("DeadLetterQueue", deadLetterQueueName(wanted), { MessageRetentionPeriod, Tags }, Policy),
    }),
    ...(usesQueue(wanted) && eventQueue(wanted, Tags)),
    Subscription: {
      Type: "AWS::SNS::Subscription",
      DependsOn: [
        "TopicPolicy",
        ...(wanted.deadLetterQueue ? ["DeadLetterQueuePolicy"] : []),
        ...(usesQueue(wanted) ? ["EventQueuePolicy"] : []),
      ],
      Properties: {
        TopicArn: { Ref: "Topic" },
        Protocol: usesQueue(wanted) ? "sqs" : wanted.endpoint?.split(":")[0],
        Endpoint: wanted.endpoint,
        RawMessageDelivery: RawMessageDelivery === "true",
        ...Object.fromEntries(
          Object.entries(documents).map(([name, text]) => [
            name,
            text.startsWith("{") ? JSON.parse(text) : text,
          ]),
        ),
      },
    },
  };
  return templateResult(`aec: events of AWS for Spinnaker's cache (${wanted.environment})`, resources);
}

function eventQueue(wanted: WantedTopology, Tags: object): Record<string, Resource> {
  const { Policy, RedrivePolicy, ...attributes } = eventQueueAttributes(wanted, undefined);
  const redrive = RedrivePolicy && { RedrivePolicy: JSON.parse(RedrivePolicy) };
  const resources = queue("EventQueue", eventQueueName(wanted), { ...attributes, ...redrive, Tags }, Policy);
  if (redrive && resources.EventQueue) resources.EventQueue.DependsOn = "DeadLetterQueue";
  return resources;
}

function queue(
  id: string,
  QueueName: string,
  properties: object,
  policy: string | undefined,
): Record<string, Resource> {
  return {
    [id]: { Type: "AWS::SQS::Queue", Properties: { QueueName, ...properties } },
    [`${id}Policy`]: {
      Type: "AWS::SQS::QueuePolicy",
      Properties: { Queues: [{ Ref: id }], PolicyDocument: parsePolicy(policy) },
    },
  };
}

/** A template's policy replaces the one that AWS gives a new topic, so its owner's statement has to be written out. */
function owner(wanted: WantedTopology) {
  return {
    Sid: "OwnerMayManage",
    Effect: "Allow",
    Principal: { AWS: "*" },
    Action: [
      "SNS:GetTopicAttributes",
      "SNS:SetTopicAttributes",
      "SNS:AddPermission",
      "SNS:RemovePermission",
      "SNS:DeleteTopic",
      "SNS:Subscribe",
      "SNS:ListSubscriptionsByTopic",
      "SNS:Publish",
    ],
    Resource: topicArn(wanted),
    Condition: { StringEquals: { "AWS:SourceOwner": wanted.accountId } },
  };
}
