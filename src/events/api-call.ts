import type { ResourceType } from "../agents/kinds.ts";
import type { Irrelevant, ResourceEvent } from "./event.ts";
import { clip, type Fields, fields, text } from "./fields.ts";

interface ApiKind {
  resourceType: string;
  type: ResourceType;
  /** Calls that change what Spinnaker caches. */
  calls: readonly string[];
  name(parameters: Fields, answer: Fields): string | undefined;
}

/** What CloudTrail tells of, by `eventSource`; names stand in the request, or in the answer to a creation. */
export const API_CALLS: Readonly<Record<string, ApiKind>> = {
  "autoscaling.amazonaws.com": {
    resourceType: "AWS::AutoScaling::AutoScalingGroup",
    type: "server-group",
    calls: [
      "CreateAutoScalingGroup",
      "UpdateAutoScalingGroup",
      "DeleteAutoScalingGroup",
      "SetDesiredCapacity",
      "SuspendProcesses",
      "ResumeProcesses",
      "AttachInstances",
      "DetachInstances",
      "EnterStandby",
      "ExitStandby",
      "AttachLoadBalancers",
      "DetachLoadBalancers",
      "AttachLoadBalancerTargetGroups",
      "DetachLoadBalancerTargetGroups",
      "PutScalingPolicy",
      "DeletePolicy",
      "PutScheduledUpdateGroupAction",
      "DeleteScheduledAction",
    ],
    name: (parameters) => text(parameters.autoScalingGroupName),
  },
  "ec2.amazonaws.com": {
    resourceType: "AWS::EC2::SecurityGroup",
    type: "security-group",
    calls: [
      "CreateSecurityGroup",
      "DeleteSecurityGroup",
      "AuthorizeSecurityGroupIngress",
      "AuthorizeSecurityGroupEgress",
      "RevokeSecurityGroupIngress",
      "RevokeSecurityGroupEgress",
      "ModifySecurityGroupRules",
    ],
    name: (parameters, answer) =>
      text(parameters.groupId) ??
      text(answer.groupId) ??
      text(fields(parameters.ModifySecurityGroupRulesRequest)?.GroupId) ??
      text(parameters.groupName),
  },
  "elasticloadbalancing.amazonaws.com": {
    resourceType: "AWS::ElasticLoadBalancingV2::LoadBalancer",
    type: "load-balancer",
    calls: [
      "CreateLoadBalancer",
      "DeleteLoadBalancer",
      "ModifyLoadBalancerAttributes",
      "SetSecurityGroups",
      "SetSubnets",
      "CreateListener",
      "ModifyListener",
      "DeleteListener",
      "RegisterInstancesWithLoadBalancer",
      "DeregisterInstancesFromLoadBalancer",
    ],
    name: (parameters) =>
      text(parameters.loadBalancerName) ??
      text(parameters.name) ??
      balancerName(text(parameters.loadBalancerArn) ?? text(parameters.listenerArn) ?? ""),
  },
};

/** The `detail` of an API call via CloudTrail (EventBridge user guide, events from AWS services). */
export function parseApiCall(
  detail: Fields,
  place: Pick<ResourceEvent, "awsAccountId" | "region" | "at">,
): ResourceEvent | Irrelevant {
  const eventSource = text(detail.eventSource) ?? "";
  const eventName = text(detail.eventName) ?? "";
  const kind = Object.hasOwn(API_CALLS, eventSource) ? API_CALLS[eventSource] : undefined;
  if (!kind?.calls.includes(eventName))
    return { ignored: `the call ${clip(eventName)} changes nothing that aec refreshes` };
  if (text(detail.errorCode))
    return { ignored: `the call ${eventName} failed (${clip(String(detail.errorCode))})` };
  const name = kind.name(fields(detail.requestParameters) ?? {}, fields(detail.responseElements) ?? {});
  if (!name) return { ignored: `the call ${eventName} names no resource` };
  const { resourceType, type } = kind;
  return {
    awsAccountId: text(detail.recipientAccountId) ?? place.awsAccountId,
    region: text(detail.awsRegion) ?? place.region,
    at: place.at,
    source: "cloudtrail",
    resourceType,
    type,
    name,
    // A call is the beginning of a change: what it leads to is told by AWS, not by the request.
    facts: { gone: undefined },
  };
}

/** `…:loadbalancer/app/NAME/ID` and `…:listener/app/NAME/ID/ID`. */
function balancerName(arn: string): string | undefined {
  return /:(?:loadbalancer|listener)\/(?:app|net|gwy)\/([^/]+)\//.exec(arn)?.[1];
}
