import { MOTO_ACCOUNT } from "./real-engine.ts";

/** An event as AWS tells of it, and by which way, on which its delay depends. */
export interface Told {
  source: "service" | "cloudtrail";
  message: object;
}

/** What EventBridge passes on; its times have whole seconds. */
function envelope(region: string, source: string, detailType: string, detail: object): object {
  return {
    version: "0",
    id: crypto.randomUUID(),
    source,
    "detail-type": detailType,
    account: MOTO_ACCOUNT,
    region,
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    resources: [],
    detail,
  };
}

export const ofGroup = (region: string, detailType: string, name: string): Told => ({
  source: "service",
  message: envelope(region, "aws.autoscaling", detailType, { AutoScalingGroupName: name }),
});

export const ofInstance = (region: string, id: string, state: string): Told => ({
  source: "service",
  message: envelope(region, "aws.ec2", "EC2 Instance State-change Notification", {
    "instance-id": id,
    state,
  }),
});

export const ofService = (region: string, source: string, detailType: string, detail: object): Told => ({
  source: "service",
  message: envelope(region, source, detailType, detail),
});

/** An API call that CloudTrail has recorded. */
export const ofCall = (
  region: string,
  service: string,
  eventName: string,
  requestParameters: object,
  responseElements: object | null = null,
): Told => ({
  source: "cloudtrail",
  message: envelope(region, `aws.${service}`, "AWS API Call via CloudTrail", {
    eventTime: new Date().toISOString(),
    eventSource: `${service}.amazonaws.com`,
    eventName,
    awsRegion: region,
    recipientAccountId: MOTO_ACCOUNT,
    requestParameters,
    responseElements,
  }),
});
