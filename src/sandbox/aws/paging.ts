import { awsError } from "./error.ts";

/** One page of `items` and the token of the next; tokens are opaque to clients, as AWS's are. */
export function page<T>(items: readonly T[], token: string | undefined, size: number) {
  const from = token ? Number(Buffer.from(token, "base64url").toString()) : 0;
  if (!Number.isInteger(from)) throw awsError("InvalidParameter", "Invalid parameter: NextToken");
  const end = from + size;
  const next = end < items.length ? Buffer.from(String(end)).toString("base64url") : undefined;
  return { items: items.slice(from, end), next };
}
