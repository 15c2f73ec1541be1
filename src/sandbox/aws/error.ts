/** A service exception as AWS answers it: `code` is the wire code (`InvalidParameter`), `status` the HTTP one. */
export interface AwsError extends Error {
  code: string;
  status: number;
}

/** Makes an exception; handlers throw it and the service's protocol puts it on the wire. */
export function awsError(code: string, message: string, status = 400): AwsError {
  return Object.assign(new Error(message), { name: "AwsError", code, status });
}

/** Whether `error` was made by `awsError`. */
export function isAwsError(error: unknown): error is AwsError {
  return error instanceof Error && error.name === "AwsError";
}
