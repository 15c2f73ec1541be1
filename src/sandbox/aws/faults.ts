import { type AwsError, awsError } from "./error.ts";

/** Makes matching API calls fail; members left out match everything. */
export interface FaultRule {
  service?: string;
  action?: string;
  region?: string;
  account?: string;
  /** `html` is a 500 that is no AWS error at all, `hang` never answers. */
  kind: "throttled" | "denied" | "html" | "hang";
  /** How many calls fail; all of them when left out. */
  times?: number;
}

/** An API call the sandbox received; `at` in ms of its clock. */
export interface ApiCall {
  service: string;
  action: string;
  region: string;
  /** Of the caller; 12 digits. */
  account: string;
  at: number;
}

const THROTTLED: Readonly<Record<string, [code: string, status: number]>> = {
  sns: ["Throttled", 429],
  ec2: ["RequestLimitExceeded", 503],
  sqs: ["RequestThrottled", 400],
  config: ["ThrottlingException", 400],
  events: ["ThrottlingException", 400],
};
const DENIED: Readonly<Record<string, [code: string, status: number]>> = {
  sns: ["AuthorizationError", 403],
  ec2: ["UnauthorizedOperation", 403],
  sqs: ["AccessDeniedException", 400],
  config: ["AccessDeniedException", 400],
  events: ["AccessDeniedException", 400],
};

/** Whether `rule` hits `call`; counts `times` down. */
export function hits(rule: FaultRule, call: ApiCall): boolean {
  const matches = (["service", "action", "region", "account"] as const).every(
    (name) => rule[name] === undefined || rule[name] === call[name],
  );
  if (!matches || rule.times === 0) return false;
  if (rule.times !== undefined) rule.times--;
  return true;
}

/** The error each service really sends when it throttles or denies. */
export function faultError(kind: "throttled" | "denied", { service, action }: ApiCall): AwsError {
  if (kind === "throttled") {
    const [code, status] = THROTTLED[service] ?? ["Throttling", 400];
    return awsError(code, "Rate exceeded", status);
  }
  const [code, status] = DENIED[service] ?? ["AccessDenied", 403];
  return awsError(
    code,
    `User: arn:aws:iam::sandbox is not authorized to perform: ${service}:${action}`,
    status,
  );
}
