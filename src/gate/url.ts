import { usageError } from "../errors.ts";

/** Throws a usage error for what cannot be Gate's address; `origin` says where it was named. */
export function assertGateUrl(url: string, origin: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw usageError("bad-url", `"${url}" (${origin}) is not the URL of Gate`);
}
