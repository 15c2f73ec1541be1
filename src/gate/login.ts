import { join } from "node:path";
import { readSpinConfig, SPIN_ENDPOINT, type SpinConfig, spinConfigPath } from "../config/spin.ts";
import type { Context } from "../context.ts";
import { EXIT, ExpectedError, usageError } from "../errors.ts";
import { configuredFetch, configuredFiles, readPem, type TlsFiles, tlsFetch } from "../tls.ts";
import { assertGateUrl } from "./url.ts";

/** Where Gate is, and what it is shown. */
export interface GateLogin {
  url: string;
  headers: Record<string, string>;
  fetch: typeof fetch | undefined;
}

type Auth = NonNullable<SpinConfig["auth"]>;

/**
 * Gate's address from --gate-url (and its like), else from the configuration of `spin`, with the login that is there.
 * It is sent to the Gate alone that `spin` uses. Throws usage errors, and exit 4 for a token that is over.
 */
export async function gateLogin(context: Context): Promise<GateLogin> {
  const { world, settings, out } = context;
  const spin = readSpinConfig(world);
  const endpoint = spin?.gate?.endpoint ?? (spin ? SPIN_ENDPOINT : undefined);
  const url = settings.gate.value ?? endpoint;
  if (url === undefined) {
    throw usageError("no-gate", "no address of Gate is known", {
      hint: "add --gate-url https://gate.example.com, export AEC_GATE_URL, or set gate in aec.yml",
    });
  }
  assertGateUrl(url, settings.gate.origin);
  const auth = spin?.auth;
  const plain = { url, headers: {}, fetch: configuredFetch(context) };
  if (!auth || auth.enabled === false) return plain;
  if (endpoint === undefined || new URL(endpoint).origin !== new URL(url).origin) {
    out.warn(
      `the login of ${spinConfigPath(world)} is for ${endpoint}: it is not sent to ${new URL(url).origin}`,
    );
    return plain;
  }
  const headers = headersOf(auth, world.clock.now());
  const files = auth.x509 && clientCertificate(auth.x509, world.home);
  if (!files) return { ...plain, headers };
  return {
    url,
    headers,
    fetch: await tlsFetch({ ...configuredFiles(context), ...files, verify: auth.ignoreCertErrors !== true }),
  };
}

function headersOf({ apiToken, basic, ldap, oauth2, iap }: Auth, now: number): Record<string, string> {
  if (apiToken) return { "x-spinnaker-token": apiToken.token };
  // Gate takes Basic for its LDAP users too, so that no session is needed.
  const user = basic ?? ldap;
  if (user) {
    if (user.password === undefined || user.password === "")
      throw loginError("the configuration of spin has no password, and aec does not ask for one");
    const pair = Buffer.from(`${user.username}:${user.password}`).toString("base64");
    return { authorization: `Basic ${pair}` };
  }
  const cached = oauth2?.cachedToken;
  const bearer = iap?.iapIdToken ?? valid(iap?.cachedToken?.idToken, iap?.cachedToken?.expiry, now);
  const chosen = bearer ?? valid(cached?.access_token, cached?.expiry, now);
  if (chosen !== undefined) return { authorization: `Bearer ${chosen}` };
  if (oauth2 || iap) throw loginError("the login of spin has no token that is still good");
  return {};
}

function valid(token: string | undefined, expiry: string | undefined, now: number): string | undefined {
  const until = expiry === undefined ? Number.NaN : Date.parse(expiry);
  return token && !(until <= now) ? token : undefined;
}

function clientCertificate(x509: NonNullable<Auth["x509"]>, home: string): TlsFiles {
  const { cert, key, certPath, keyPath } = x509;
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (certPath === undefined || keyPath === undefined)
    throw usageError("spin-config-invalid", "auth.x509 of spin needs certPath and keyPath, or cert and key");
  const read = (path: string) => readPem(path.startsWith("~") ? join(home, path.slice(1)) : path);
  return { cert: read(certPath), key: read(keyPath) };
}

function loginError(message: string): ExpectedError {
  return new ExpectedError(EXIT.credentials, "gate-login", message, {
    hint: "run spin once (spin application list): it logs in and keeps the token; aec never writes its file",
  });
}
