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
