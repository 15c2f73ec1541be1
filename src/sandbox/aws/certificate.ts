import { generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import { promisify } from "node:util";

/** What the signing certificate says; tests make expired ones and ones for another host. */
export interface CertificateOptions {
  /** Subject and issuer; default `sns.amazonaws.com`, as AWS's. */
  commonName?: string;
  /** DNS names and IPv4 addresses; default the common name, `localhost` and `127.0.0.1`. */
  altNames?: readonly string[];
  /** Validity, ms since the epoch; default from a day before the clock's now to a year after it. */
  notBefore?: number;
  notAfter?: number;
  /** Default: a new RSA-2048 pair. */
  keys?: { publicKey: KeyObject; privateKey: KeyObject };
}

/** A self-signed X.509 v3 certificate (RFC 5280) with its key. */
export async function createCertificate(
  now: number,
  options: CertificateOptions = {},
): Promise<{ pem: string; key: KeyObject }> {
  const day = 86_400_000;
  const { commonName = "sns.amazonaws.com", notBefore = now - day, notAfter = now + 365 * day } = options;
  const altNames = options.altNames ?? [commonName, "localhost", "127.0.0.1"];
  const { publicKey, privateKey } =
    options.keys ?? (await promisify(generateKeyPair)("rsa", { modulusLength: 2048 }));

  const name = sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(commonName)))));
  const subjectAltName = sequence(
    ...altNames.map((alt) =>
      isIPv4(alt) ? der(0x87, Buffer.from(alt.split(".").map(Number))) : der(0x82, Buffer.from(alt)),
    ),
  );
  const sha256WithRsa = sequence(oid("2a864886f70d01010b"), der(0x05));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([0x01]), randomBytes(8)),
    sha256WithRsa,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(oid("551d11"), der(0x04, subjectAltName)))),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, sha256WithRsa, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  const pem = ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
  return { pem, key: privateKey };
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function sequence(...parts: Uint8Array[]): Buffer {
  return der(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** UTCTime up to 2049, GeneralizedTime after it, as RFC 5280 section 4.1.2.5 demands. */
function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/\D/g, "").slice(0, 14)}Z`;
  return digits < "2050" ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}
