import { parseApiCall } from "./api-call.ts";
import { parseConfig } from "./config-item.ts";
import type { Irrelevant, ResourceEvent } from "./event.ts";
import { clip, type Fields, fields, text, timeOf } from "./fields.ts";
import { parseServiceEvent } from "./service-event.ts";

/** Auto Scaling's events that change a group's instances (Auto Scaling user guide, event reference). */
export const SCALING_EVENTS = {
  launched: "EC2 Instance Launch Successful",
  terminated: "EC2 Instance Terminate Successful",
  launching: "EC2 Instance-launch Lifecycle Action",
  terminating: "EC2 Instance-terminate Lifecycle Action",
} as const;
export const API_CALL = "AWS API Call via CloudTrail";
export const CONFIG_CHANGE = "Config Configuration Item Change";

/** An EventBridge event: `source`, `detail-type`, `account`, `region`, `time` and `detail`. */
export function parseEnvelope(envelope: Fields): ResourceEvent | Irrelevant {
  const source = text(envelope.source) ?? "";
  const detailType = text(envelope["detail-type"]) ?? "";
  const detail = fields(envelope.detail);
  const awsAccountId = text(envelope.account) ?? "";
  const region = text(envelope.region);
  if (!detail || !region || !/^\d{12}$/.test(awsAccountId))
    return { ignored: `an event of ${clip(source)} without account, Region or detail` };
  const place = { awsAccountId, region, at: timeOf(envelope.time) };
  if (detailType === API_CALL) return parseApiCall(detail, place);
  if (detailType === CONFIG_CHANGE) return parseConfig(detail);
  if (source === "aws.autoscaling") return parseScaling(detailType, detail, place);
  const told = parseServiceEvent(detailType, detail, envelope.resources, place);
  return told ?? { ignored: `${clip(detailType || "events")} of ${clip(source)}: not used yet` };
}

function parseScaling(
  detailType: string,
  detail: Fields,
  place: Pick<ResourceEvent, "awsAccountId" | "region" | "at">,
): ResourceEvent | Irrelevant {
  const name = text(detail.AutoScalingGroupName);
  const known = Object.values(SCALING_EVENTS).some((type) => type === detailType);
  if (!known || !name) return { ignored: `${clip(detailType)} changes nothing that Spinnaker caches` };
  const instance = text(detail.EC2InstanceId);
  const ids = instance === undefined ? [] : [instance];
  return {
    ...place,
    source: "service",
    resourceType: "AWS::AutoScaling::AutoScalingGroup",
    type: "server-group",
    name,
    facts: {
      gone: detailType === SCALING_EVENTS.launched ? false : undefined,
      ...(detailType === SCALING_EVENTS.launched && { instanceIds: ids }),
      ...(detailType === SCALING_EVENTS.terminated && { absentInstanceIds: ids }),
    },
  };
}
