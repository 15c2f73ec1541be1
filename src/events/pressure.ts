import { type EventPlace, ignored, type Parsed } from "./event.ts";
import { clip, type Fields, fields, text, timeOf } from "./fields.ts";

/** Metrics that count throttled calls: EC2's API metrics, and the usage metrics of other services. */
const THROTTLING_METRIC = /^(RequestLimitExceeded|ThrottleCount|ThrottledRequests|ThrottlingException)$/;
const THROTTLING_NAME = /throttl|request.?limit.?exceeded/i;
export const ALARM_EVENT = "CloudWatch Alarm State Change";
export const QUOTA_EVENT = "AWS Service Event via CloudTrail";
export const QUOTA_SOURCE = "aws.servicequotas";

/** An alarm's event on EventBridge (CloudWatch user guide, alarm events). */
export function parseAlarm(detail: Fields, place: EventPlace): Parsed {
  const { metrics } = fields(detail.configuration) ?? {};
  const names = (Array.isArray(metrics) ? metrics : []).map((entry) =>
    text(fields(fields(fields(entry)?.metricStat)?.metric)?.name),
  );
  return pressure(text(detail.alarmName) ?? "", names, text(fields(detail.state)?.value), place);
}

/** An alarm that publishes to the topic itself (CloudWatch user guide, alarm actions); its Region stands in its ARN. */
export function parseDirectAlarm(document: Fields): Parsed {
  const [, region] = /^arn:aws[a-z-]*:cloudwatch:([a-z0-9-]+):/.exec(text(document.AlarmArn) ?? "") ?? [];
  const awsAccountId = text(document.AWSAccountId) ?? "";
  if (!region || !/^\d{12}$/.test(awsAccountId)) return ignored("an alarm without account or Region");
  const place = { awsAccountId, region, at: timeOf(document.StateChangeTime) };
  const names = [text(fields(document.Trigger)?.MetricName)];
  return pressure(text(document.AlarmName) ?? "", names, text(document.NewStateValue), place);
}

function pressure(
  alarm: string,
  metrics: readonly (string | undefined)[],
  state: string | undefined,
  place: EventPlace,
): Parsed {
  const counts = metrics.some((name) => name !== undefined && THROTTLING_METRIC.test(name));
  if (!counts && !THROTTLING_NAME.test(alarm))
    return ignored(`the alarm ${clip(alarm)} is about no throttling`);
  if (state !== "ALARM" && state !== "OK") return ignored(`the alarm ${clip(alarm)} does not know`);
  return { ...place, throttled: state === "ALARM", reason: `alarm ${clip(alarm)}: ${state}` };
}

/** A request for a higher quota that was granted (Service Quotas user guide, CloudTrail). */
export function parseQuota(detail: Fields, place: EventPlace): Parsed {
  const told = fields(detail.serviceEventDetails) ?? fields(detail.responseElements);
  const request = fields(told?.requestedQuota) ?? told;
  if (text(request?.status) !== "APPROVED") return ignored("a quota that is not granted yet changes nothing");
  const quota = text(request?.quotaName) ?? text(request?.quotaCode) ?? "a quota";
  return { ...place, throttled: false, reason: `Service Quotas granted ${clip(quota)}` };
}
