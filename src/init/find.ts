import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAllDocuments } from "yaml";
import { readAccounts } from "../clouddriver/accounts.ts";
import type { EnvironmentConfig } from "../config/schema.ts";
import { readSpinConfig, SPIN_ENDPOINT } from "../config/spin.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { Answer } from "../http.ts";

/** What there is to be written into `aec.yml`, and where it was found. */
export interface Found {
  target: { kind: keyof NonNullable<EnvironmentConfig["target"]>; path: string } | undefined;
  clouddriver: string | undefined;
  gate: string | undefined;
  awsRegion: string | undefined;
  awsProfiles: readonly string[];
  accounts: NonNullable<EnvironmentConfig["accounts"]>;
  /** For people, a line each. */
  told: readonly string[];
}

const CLOUDDRIVERS = ["http://localhost:7002", "http://spin-clouddriver:7002"];
const ANSWER_WITHIN_MS = 2_000;
/** Deep enough for `overlays/prod` of a checkout. */
const MAX_DEPTH = 3;

/** Looks at the files here and at what answers; changes nothing and asks AWS nothing. */
export async function findSite(context: Context): Promise<Found> {
  const { world, settings } = context;
  const told: string[] = [];
  const target = findTarget(world.home, world.cwd);
  if (target) told.push(`${target.kind}: ${target.path}`);
  const gate = settings.gate.value ?? readSpinConfig(world)?.gate?.endpoint;
  if (gate !== undefined)
    told.push(`Gate: ${gate} (${settings.gate.value ? settings.gate.origin : "~/.spin/config"})`);
  const { url, accounts } = await findClouddriver(context);
  if (accounts.length > 0) told.push(`Clouddriver: ${url}, with ${accounts.length} AWS accounts`);
  const profiles = readProfiles(join(world.home, ".aws", "config"));
  if (profiles.size > 0) told.push(`AWS profiles: ${[...profiles.keys()].join(", ")}`);
  const awsRegion = settings.awsRegion.value ?? profiles.get(settings.awsProfile.value ?? "default");
  return {
    target,
    clouddriver: url,
    gate: gate === SPIN_ENDPOINT ? undefined : gate,
    awsRegion,
    awsProfiles: [...profiles.keys()],
    accounts,
    told,
  };
}

async function findClouddriver(
  context: Context,
): Promise<{ url: string | undefined; accounts: Found["accounts"] }> {
  const named = context.settings.clouddriver.value;
  for (const url of named ?? CLOUDDRIVERS) {
    try {
      const accounts = await accountsOf(context, url.replace(/^(caching|rw|ro)=/, ""));
      return { url, accounts };
    } catch (error) {
      if (named) context.out.warn(`${url} does not answer as Clouddriver: ${messageOf(error)}`);
    }
  }
  return { url: named?.[0], accounts: [] };
}

/** The AWS accounts of a Clouddriver; asked once, without retries. Rejects where none answers. */
export async function accountsOf(context: Context, url: string): Promise<Found["accounts"]> {
  const list = async <T>(path: string): Promise<Answer<T[]>> => {
    const response = await context.fetch(new URL(path, url), {
      signal: AbortSignal.any([context.world.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    const body: unknown = await response.json();
    if (!response.ok || !Array.isArray(body)) throw new Error(`${path} did not answer a list`);
    return { status: response.status, body: body as T[], serverTime: undefined };
  };
  return (await readAccounts({ list }))
    .filter(({ provider, awsAccountId }) => provider === "aws" && /^\d{12}$/.test(awsAccountId))
    .map(({ name, awsAccountId, regions, assumeRole }) => ({
      name,
      awsAccountId,
      ...(regions.length > 0 && { regions: [...regions] }),
      ...(assumeRole !== undefined && { assumeRole }),
    }));
}

function findTarget(home: string, cwd: string): Found["target"] {
  for (const directory of directoriesBelow(cwd, MAX_DEPTH)) {
    const path = `./${relative(cwd, directory)}`;
    if (existsSync(join(directory, "overlays", "config", "files"))) return { kind: "kustomize", path };
    const service = serviceIn(directory);
    if (service) return { kind: service, path };
  }
  return existsSync(join(home, ".hal", "config")) ? { kind: "halyard", path: "~/.hal" } : undefined;
}

function* directoriesBelow(directory: string, depth: number): Generator<string> {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    // What may not be read is not ours.
    return;
  }
  yield directory;
  if (depth === 0) return;
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith(".") || entry.name === "node_modules") continue;
    yield* directoriesBelow(join(directory, entry.name), depth - 1);
  }
}

/** The flavour of the operator whose SpinnakerService lies in the directory beside a kustomization. */
function serviceIn(directory: string): "operator" | "armory" | undefined {
  const names = readdirSync(directory);
  if (!names.some((name) => /^kustomization(\.ya?ml)?$/i.test(name))) return undefined;
  for (const name of names.filter((one) => /\.ya?ml$/.test(one))) {
    const text = readFileSync(join(directory, name), "utf8");
    if (!text.includes("SpinnakerService")) continue;
    for (const document of parseAllDocuments(text)) {
      const { kind, apiVersion = "" } = (document.toJS() ?? {}) as { kind?: string; apiVersion?: string };
      if (kind === "SpinnakerService") return apiVersion.includes("armory") ? "armory" : "operator";
    }
  }
  return undefined;
}

/** Names of the profiles of `~/.aws/config`, with their Regions. */
function readProfiles(path: string): Map<string, string | undefined> {
  const profiles = new Map<string, string | undefined>();
  if (!existsSync(path)) return profiles;
  let current: string | undefined;
  for (const line of readFileSync(path, "utf8").split(/\r?\n/)) {
    const section = /^\s*\[(?:profile\s+)?([^\]]+)\]/.exec(line)?.[1]?.trim();
    if (section !== undefined) {
      // [sso-session x] and [services x] are none.
      current = /\s/.test(section) ? undefined : section;
      if (current !== undefined) profiles.set(current, undefined);
    }
    const region = /^\s*region\s*=\s*(\S+)/.exec(line)?.[1];
    if (current !== undefined && region !== undefined) profiles.set(current, region);
  }
  return profiles;
}
