import type { Reads } from "../clouddriver/reads.ts";
import { usageError } from "../errors.ts";

interface Proxy {
  id?: string;
  uri?: string;
}

/**
 * The path at Gate that stands for Clouddriver's `/cache`, from Gate's list of proxies. Throws a usage error, with
 * what to write into gate.yml, where there is none.
 */
export async function cacheProxyPath({ list }: Reads): Promise<string> {
  const { body } = await list<Proxy>("/proxies");
  for (const { id, uri } of body) {
    if (id === undefined || uri === undefined || !URL.canParse(uri)) continue;
    const { pathname, hostname } = new URL(uri);
    const path = pathname.replace(/\/$/, "");
    if (path.endsWith("/cache")) return `/proxies/${encodeURIComponent(id)}`;
    if (path === "" && hostname.includes("clouddriver")) return `/proxies/${encodeURIComponent(id)}/cache`;
  }
  throw usageError("no-proxy", "Gate has no proxy to Clouddriver's cache", {
    detail: body.map(({ id }) => id).join(", "),
    hint: "in gate.yml: proxies: [{id: clouddriver-cache, uri: http://spin-clouddriver:7002/cache}]",
  });
}
