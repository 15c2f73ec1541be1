import { type KeyObject, X509Certificate } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import { createTokenBucket } from "../token-bucket.ts";
import type { SigningHost } from "./signing-host.ts";

/** A signing key that may be used now, or why there is none. */
export type SigningKey =
  | { key: KeyObject }
  /** Tried later it may be there: the host did not answer, or enough was asked for the moment. */
  | { unavailable: string }
  /** It is no certificate that SNS signs with. */
  | { rejected: string };

/** Gets the key of a certificate URL that was already checked against its host. */
export type SigningKeys = (url: string, host: SigningHost) => Promise<SigningKey>;

const MAX_CERTIFICATES = 16;
const REJECTED_AGE_MS = 60_000;
const UNAVAILABLE_AGE_MS = 5_000;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_BYTES = 16 * 1_024;
const BURST = 4;
const REFILL_MS = 10_000;
const PEM = /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/;

/**
 * Fetches and keeps signing certificates: at most one request per URL at a time, and no more than a few new ones a
 * minute whatever forged messages name. A good one is kept while it is valid (a new one comes under a new URL), so that
 * no forger can push it out.
 */
export function createSigningKeys(fetcher: typeof fetch, clock: Clock): SigningKeys {
  const known = new LRUCache<string, Signer>({ max: MAX_CERTIFICATES });
  const misses = new LRUCache<string, { answer: SigningKey; until: number }>({ max: MAX_CERTIFICATES });
  const underWay = new Map<string, Promise<SigningKey>>();
  const bucket = createTokenBucket(BURST, REFILL_MS, clock);

  const load = async (url: string, host: SigningHost): Promise<SigningKey> => {
    const fetched = await fetchCertificate(fetcher, url);
    const found = "certificate" in fetched ? signerOf(fetched.certificate, host) : fetched;
    const answer = "signer" in found ? validNow(found.signer, clock.now()) : found;
    if ("signer" in found && "key" in answer) known.set(url, found.signer);
    else {
      const age = "unavailable" in answer ? UNAVAILABLE_AGE_MS : REJECTED_AGE_MS;
      misses.set(url, { answer, until: clock.now() + age });
    }
    return answer;
  };

  return async (url, host) => {
    const kept = known.get(url);
    if (kept) return validNow(kept, clock.now());
    const miss = misses.get(url);
    if (miss !== undefined && miss.until > clock.now()) return miss.answer;
    const pending = underWay.get(url);
    if (pending !== undefined) return pending;
    if (!bucket.tryTake()) return { unavailable: "too many new certificates were asked for" };
    const loading = load(url, host).finally(() => underWay.delete(url));
    underWay.set(url, loading);
    return loading;
  };
}

/** A certificate that was found good, but for the time: its URL belongs to one host alone. */
interface Signer {
  key: KeyObject;
  /** Ms since the epoch. */
  from: number;
  to: number;
}

function signerOf(certificate: X509Certificate, { leafName }: SigningHost): { signer: Signer } | SigningKey {
  const { publicKey: key, validFrom, validTo } = certificate;
  if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2_048) {
    return { rejected: "the certificate's key is no RSA key of 2048 bits" };
  }
  if (leafName !== undefined && certificate.checkHost(leafName, { subject: "default" }) === undefined) {
    return { rejected: `the certificate is not issued for ${leafName}` };
  }
  return { signer: { key, from: Date.parse(validFrom), to: Date.parse(validTo) } };
}

/** Checked at each use, not only when fetched: a certificate may expire while it is kept. */
function validNow({ key, from, to }: Signer, now: number): SigningKey {
  return now < from || now > to ? { rejected: "the certificate is not valid now" } : { key };
}

async function fetchCertificate(
  fetcher: typeof fetch,
  url: string,
): Promise<{ certificate: X509Certificate } | SigningKey> {
  let text: string;
  try {
    const response = await fetcher(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    if (!response.ok) {
      await response.body?.cancel();
      // Anything else may be a proxy or a bad moment, and a 403 of ours would lose the message for good.
      return response.status === 404 || response.status === 410
        ? { rejected: `the signing host has no such certificate (${response.status})` }
        : { unavailable: `the signing host answered ${response.status}` };
    }
    text = await boundedText(response);
  } catch (error) {
    return {
      unavailable: `the signing host did not answer: ${error instanceof Error ? error.message : error}`,
    };
  }
  if (!PEM.test(text))
    return { unavailable: "what answered for the signing host sent no single certificate" };
  try {
    return { certificate: new X509Certificate(text) };
  } catch {
    return { unavailable: "what answered for the signing host sent a certificate that cannot be read" };
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("latin1");
}
