import { type AwsError, awsError } from "../error.ts";

/** SNS's answer to a bad argument; the SDK calls it InvalidParameterException. */
export function invalidParameter(reason: string): AwsError {
  return awsError("InvalidParameter", `Invalid parameter: ${reason}`);
}

/** SNS's answer for an unknown topic or subscription; the SDK calls it NotFoundException. */
export function notFound(what: "Topic" | "Subscription"): AwsError {
  return awsError("NotFound", `${what} does not exist`, 404);
}
