import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "./context.ts";
import { messageOf, usageError } from "./errors.ts";

/** Certificates of one connection, as PEM. */
export interface TlsFiles {
  /** Authorities besides those that Node knows. */
  ca?: string;
  cert?: string;
  key?: string;
  /** False: whoever answers is believed. */
  verify?: boolean;
}

/** A fetch that shows a client certificate, and trusts own authorities. Throws for a key that does not fit. */
export async function tlsFetch({ ca, cert, key, verify = true }: TlsFiles): Promise<typeof fetch> {
  const [{ Agent, fetch: undiciFetch }, { rootCertificates }] = await Promise.all([
    import("undici"),
    import("node:tls"),
  ]);
  const dispatcher = new Agent({
    connect: {
      ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      rejectUnauthorized: verify,
    },
  });
  type Init = Parameters<typeof undiciFetch>[1];
  return (async (input: URL, init?: object) =>
    undiciFetch(input, { ...init, dispatcher } as Init)) as unknown as typeof fetch;
}

/**
 * The files of services that want a client certificate or have one of an own authority: `tls` of `aec.yml`, or
 * AEC_TLS_CA, AEC_TLS_CERT and AEC_TLS_KEY. Undefined where none is set. Throws a usage error for a file that cannot
 * be read.
 */
export function configuredFiles({ settings, world }: Context): TlsFiles | undefined {
  const { tls = {} } = settings.section;
  const { AEC_TLS_CA, AEC_TLS_CERT, AEC_TLS_KEY } = world.env;
  const paths = { ca: AEC_TLS_CA ?? tls.ca, cert: AEC_TLS_CERT ?? tls.cert, key: AEC_TLS_KEY ?? tls.key };
  if (!paths.ca && !paths.cert && !paths.key) return undefined;
  if (Boolean(paths.cert) !== Boolean(paths.key))
    throw usageError("certificate-incomplete", "a client certificate needs both cert and key");
  const files: TlsFiles = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const path = paths[name];
    if (path) files[name] = readPem(resolve(world.cwd, path));
  }
  return files;
}

/** The fetch that shows these files, loaded at its first use; undefined where none are configured. */
export function configuredFetch(context: Context): typeof fetch | undefined {
  const files = configuredFiles(context);
  if (!files) return undefined;
  let loaded: Promise<typeof fetch> | undefined;
  return async (input, init) => {
    loaded ??= tlsFetch(files);
    return (await loaded)(input, init);
  };
}

/** Throws a usage error. */
export function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError("certificate-unreadable", `cannot read ${path}: ${messageOf(error)}`);
  }
}
