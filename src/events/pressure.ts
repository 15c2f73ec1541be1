import { type EventPlace, ignored, type Parsed } from "./event.ts";
import { clip, type Fields, fields, text, timeOf } from "./fields.ts";

/** Metrics that count throttled calls: EC2's API metrics, and the usage metrics of other services. */
const THROTTLING_METRIC = /^(AWS\/EC2\/API\/RequestLimitExceeded|AWS\/Usage\/ThrottleCount)$/;
/** Any other alarm that is to slow aec down says so. */
const THROTTLING_NAME = /^aec-.*throttl/i;
/** Services that caching agents call. */
const CALLED = new Set([
  "ec2",
  "autoscaling",
  "elasticloadbalancing",
  "ecs",
  "lambda",
  "iam",
  "cloudformation",
  "monitoring",
]);
export const ALARM_EVENT = "CloudWatch Alarm State Change";
export const QUOTA_EVENT = "AWS Service Event via CloudTrail";
export const QUOTA_SOURCE = "aws.servicequotas";

/** An alarm's event on EventBridge (CloudWatch user guide, alarm events). */
export function parseAlarm(detail: Fields, place: EventPlace): Parsed {
  const { metrics } = fields(detail.configuration) ?? {};
  const names = (Array.isArray(metrics) ? metrics : []).map((entry) => {
    const metric = fields(fields(fields(entry)?.metricStat)?.metric);
    return metricName(metric?.namespace, metric?.name);
  });
  return pressure(text(detail.alarmName) ?? "", names, text(fields(detail.state)?.value), place);
}

/** An alarm that publishes to the topic itself (CloudWatch user guide, alarm actions); its Region stands in its ARN. */
export function parseDirectAlarm(document: Fields): Parsed {
  const [, region] = /^arn:aws[a-z-]*:cloudwatch:([a-z0-9-]+):/.exec(text(document.AlarmArn) ?? "") ?? [];
  const awsAccountId = text(document.AWSAccountId) ?? "";
  if (!region || !/^\d{12}$/.test(awsAccountId)) return ignored("an alarm without account or Region");
  const place = { awsAccountId, region, at: timeOf(document.StateChangeTime) };
  const trigger = fields(document.Trigger);
  const names = [metricName(trigger?.Namespace, trigger?.MetricName)];
  return pressure(text(document.AlarmName) ?? "", names, text(document.NewStateValue), place);
}

function metricName(namespace: unknown, name: unknown): string {
  return `${text(namespace) ?? ""}/${text(name) ?? ""}`;
}

function pressure(
  alarm: string,
  metrics: readonly string[],
  state: string | undefined,
  place: EventPlace,
): Parsed {
  const counts = metrics.some((name) => THROTTLING_METRIC.test(name));
  if (!counts && !THROTTLING_NAME.test(alarm))
    return ignored(`the alarm ${clip(alarm)} is about no throttling`);
  if (state !== "ALARM" && state !== "OK") return ignored(`the alarm ${clip(alarm)} does not know`);
  return { ...place, throttled: state === "ALARM", reason: `alarm ${clip(alarm)}: ${state}` };
}

/** A request for a higher quota that was granted (Service Quotas user guide, CloudTrail). */
export function parseQuota(detail: Fields, place: EventPlace): Parsed {
  const told = fields(detail.serviceEventDetails) ?? fields(detail.responseElements);
  const request = fields(told?.requestedQuota) ?? told;
  if (!CALLED.has(text(request?.serviceCode) ?? ""))
    return ignored("a quota of a service that no agent calls");
  if (text(request?.status) !== "APPROVED") return ignored("a quota that is not granted yet changes nothing");
  const quota = text(request?.quotaName) ?? text(request?.quotaCode) ?? "a quota";
  return { ...place, throttled: false, reason: `Service Quotas granted ${clip(quota)}` };
}
