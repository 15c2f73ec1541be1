import { isIP } from "node:net";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";

type Role = "caching" | "rw" | "ro" | "any";

/** Where each kind of request goes; in HA the caching role runs agents, rw takes refreshes, ro answers reads. */
export interface Addresses {
  reader: string;
  writer: string;
  /** Replicas that may have run agents. */
  caching: readonly string[];
}

/** Reads the configured addresses; one without a role serves all. Throws usage errors. */
export function parseAddresses({ settings }: Context): Addresses {
  const configured = settings.clouddriver;
  if (!configured.value || configured.value.length === 0) {
    throw usageError("no-clouddriver", "no Clouddriver address is known", {
      hint: "add --clouddriver-url http://localhost:7002, export AEC_CLOUDDRIVER_URL, or set clouddriver in aec.yml",
    });
  }
  const addresses = configured.value.map((text) => {
    const [, role, url = text] = /^(caching|rw|ro)=(.*)$/.exec(text) ?? [];
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw usageError("bad-url", `"${text}" (${configured.origin}) is not the URL of a Clouddriver`, {
        hint: "write http://HOST:7002, or with a role: rw=http://spin-clouddriver-rw:7002 (caching, rw, ro)",
      });
    }
    return { role: (role as Role | undefined) ?? "any", url };
  });
  const byRole = (...roles: Role[]) => {
    const found = roles.flatMap((role) => addresses.filter((address) => address.role === role));
    return (found[0] ?? addresses[0])?.url ?? "";
  };
  const writer = byRole("rw", "caching", "any");
  const caching = addresses.filter(({ role }) => role === "caching" || role === "any").map(({ url }) => url);
  return { reader: byRole("ro", "rw", "any"), writer, caching: caching.length > 0 ? caching : [writer] };
}

/**
 * Every replica behind the addresses: the name of a headless service stands for one address per pod, each of which
 * knows only the agents that it ran itself. A name that has one address, and one with TLS, whose certificate is for
 * the name, stay as they are.
 */
export async function replicasOf(
  urls: readonly string[],
  { world }: Pick<Context, "world">,
): Promise<string[]> {
  const replicas = await Promise.all(
    urls.map(async (text) => {
      const url = new URL(text);
      if (url.protocol === "https:" || isIP(url.hostname.replace(/^\[|\]$/g, "")) > 0) return [text];
      // A name that is not found fails with the request, which says so.
      const found = await world.lookup(url.hostname).catch(() => []);
      const one =
        new Set(found.map(({ family }) => family)).size > 1
          ? found.filter(({ family }) => family === 4)
          : found;
      if (one.length < 2) return [text];
      return one.map(({ address, family }) => {
        const replica = new URL(text);
        replica.hostname = family === 6 ? `[${address}]` : address;
        return replica.href;
      });
    }),
  );
  return [...new Set(replicas.flat())];
}
