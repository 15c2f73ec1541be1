import { type EventPlace, ignored, type Parsed, type ResourceFacts } from "./event.ts";
import { clip, type Fields, text, timeOf } from "./fields.ts";

const LAUNCHED = "EC2 Instance Launch Successful";
const TERMINATED = "EC2 Instance Terminate Successful";

/** What an event of Auto Scaling says of the group's instances. */
export function scalingFacts(detailType: string, detail: Fields): Omit<ResourceFacts, "gone"> {
  const instance = text(detail.EC2InstanceId);
  // What waits in a warm pool is none of the group's instances.
  if (instance === undefined || detail.Destination === "WarmPool" || detail.Origin === "WarmPool") return {};
  if (detailType === LAUNCHED) return { instanceIds: [instance] };
  return detailType === TERMINATED ? { absentInstanceIds: [instance] } : {};
}

const NOTIFIED: Readonly<Record<string, string>> = {
  "autoscaling:EC2_INSTANCE_LAUNCH": LAUNCHED,
  "autoscaling:EC2_INSTANCE_TERMINATE": TERMINATED,
};

/**
 * What a group publishes to a topic by itself (Auto Scaling user guide, SNS notifications): like the event, but flat,
 * and of one group that was told to.
 */
export function parseScalingNotification(document: Fields): Parsed {
  const event = text(document.Event) ?? "";
  const detailType = Object.hasOwn(NOTIFIED, event) ? NOTIFIED[event] : undefined;
  const name = text(document.AutoScalingGroupName) ?? "";
  const [, region, accountId] =
    /^arn:aws[a-z-]*:autoscaling:([a-z0-9-]+):(\d{12}):/.exec(text(document.AutoScalingGroupARN) ?? "") ?? [];
  if (detailType === undefined)
    return ignored(`${clip(event) || "a notice"} changes nothing that Spinnaker caches`);
  if (!region || !accountId) return ignored(`${clip(event)} without account or Region`);
  const place: EventPlace = { awsAccountId: accountId, region, at: timeOf(document.Time) };
  return {
    ...place,
    source: "service",
    resourceType: "AWS::AutoScaling::AutoScalingGroup",
    type: "server-group",
    name,
    facts: { gone: detailType === LAUNCHED ? false : undefined, ...scalingFacts(detailType, document) },
  };
}
