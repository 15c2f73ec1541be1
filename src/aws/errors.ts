import { EXIT, ExpectedError, failure, messageOf, usageError } from "../errors.ts";

const DENIED = /AccessDenied|AuthorizationError|UnauthorizedOperation|NotAuthorized/;
const CREDENTIALS =
  /Expired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|InvalidAccessKeyId|AuthFailure/;
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/;
const NETWORK =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|TimeoutError|socket hang up/;

/** Runs one AWS call; `action` is its IAM name, such as `sns:CreateTopic`. Foreseen failures become expected errors. */
export async function awsCall<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw explain(action, thrown);
  }
}

/** Whether AWS itself says, by one of these names, that a resource is not there; explained errors included. */
export function isMissing(thrown: unknown, names: RegExp): boolean {
  const { cause } = thrown instanceof ExpectedError ? thrown : { cause: thrown };
  return cause instanceof Error && names.test(cause.name);
}

/** Whether AWS refused a call for its rate. */
export function isThrottling(thrown: unknown): boolean {
  return thrown instanceof Error && THROTTLED.test(thrown.name);
}

function explain(action: string, thrown: unknown): unknown {
  if (!(thrown instanceof Error) || thrown instanceof ExpectedError) return thrown;
  const { name } = thrown;
  const message = messageOf(thrown);
  const code = `${name} ${(thrown as NodeJS.ErrnoException).code ?? ""}`;
  const context = { detail: `${name}: ${message}`, cause: thrown };
  if (
    name === "CredentialsProviderError" ||
    /Could not load credentials|could not be found in shared/i.test(message)
  ) {
    const [, profile] = /using profile: \[([^\]]*)\]/.exec(message) ?? [];
    const missing = profile
      ? `no credentials were found for the AWS profile "${profile}"`
      : "no AWS credentials were found";
    return new ExpectedError(EXIT.credentials, "aws-no-credentials", missing, {
      ...context,
      hint: profile
        ? "aws configure list-profiles tells which there are"
        : "export AWS_PROFILE or AWS_ACCESS_KEY_ID, or add --aws-profile NAME",
    });
  }
  if (/Region is missing/.test(message)) {
    return usageError("aws-no-region", "no AWS Region is named", { hint: "add --aws-region us-east-1" });
  }
  if (DENIED.test(name)) {
    return new ExpectedError(EXIT.credentials, "aws-denied", `AWS denied ${action}`, {
      ...context,
      hint: `allow ${action} to this identity, or use another with --aws-profile`,
    });
  }
  if (CREDENTIALS.test(name)) {
    return new ExpectedError(
      EXIT.credentials,
      "aws-bad-credentials",
      `AWS does not accept the credentials (${name})`,
      {
        ...context,
        hint: "renew them (aws sso login, a new session token) and run again",
      },
    );
  }
  if (isThrottling(thrown)) {
    return failure("aws-throttled", `AWS throttles ${action}`, {
      ...context,
      hint: "run again in a minute; what was done so far is kept",
    });
  }
  if (NETWORK.test(`${code} ${message}`)) {
    return failure("aws-unreachable", `AWS did not answer ${action}`, {
      ...context,
      hint: "check the network, the Region, and AWS_ENDPOINT_URL if it is set",
    });
  }
  if (
    // The SDK calls what it cannot read by neither name nor message.
    name === "Unknown" ||
    name === "SyntaxError" ||
    /Unexpected token|Deserialization error|invalid XML/i.test(message)
  ) {
    return failure("aws-garbled", `the answer to ${action} is not one of AWS`, {
      ...context,
      hint: "is AWS_ENDPOINT_URL, or a proxy, in between?",
    });
  }
  if ("$fault" in thrown) {
    return failure("aws-failed", `AWS refused ${action}: ${message}`, {
      ...context,
      hint: "run again with -v to see each call",
    });
  }
  return thrown;
}
