import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments } from "yaml";
import { readAccounts } from "../clouddriver/accounts.ts";
import { awsProfiles } from "../config/aws-profiles.ts";
import type { EnvironmentConfig } from "../config/schema.ts";
import type { Settings } from "../config/settings.ts";
import { readSpinConfig, SPIN_ENDPOINT } from "../config/spin.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { Answer } from "../http.ts";
import type { World } from "../world.ts";
import { accountsIn, accountsOfHalyard } from "./accounts-in-files.ts";

/** What there is to be written into `aec.yml`, and where it was found. */
export interface Found {
  target: { kind: keyof NonNullable<EnvironmentConfig["target"]>; path: string } | undefined;
  clouddriver: string | undefined;
  gate: string | undefined;
  awsRegion: string | undefined;
  accounts: NonNullable<EnvironmentConfig["accounts"]>;
  /** For people, a line each. */
  told: readonly string[];
}

const CLOUDDRIVERS = ["http://localhost:7002", "http://spin-clouddriver:7002"];
const ANSWER_WITHIN_MS = 2_000;
/** Deep enough for `overlays/prod` of a checkout. */
const MAX_DEPTH = 3;
const NONE = { known: [], unclear: [] };

/** Looks at the files here and at what answers; changes nothing and asks AWS nothing. */
export async function findSite(context: Context, settings: Settings): Promise<Found> {
  const { world } = context;
  const told: string[] = [];
  const target = findTarget(world.home, world.cwd);
  if (target) told.push(`${target.kind}: ${target.path}`);
  const gate = settings.gate.value ?? readSpinConfig(world)?.gate?.endpoint;
  if (gate !== undefined)
    told.push(`Gate: ${gate} (${settings.gate.value ? settings.gate.origin : "~/.spin/config"})`);
  const clouddriver = await findClouddriver(context, settings);
  if (clouddriver.accounts.length > 0)
    told.push(`Clouddriver: ${clouddriver.url}, with ${clouddriver.accounts.length} AWS accounts`);
  const { known, unclear } = clouddriver.accounts.length > 0 ? NONE : accountsOfTarget(target, world);
  if (known.length > 0)
    told.push(`in ${target?.path}: AWS accounts ${known.map(({ name }) => name).join(", ")}`);
  if (unclear.length > 0)
    context.out.warn(`files in ${target?.path} do not agree on AWS account ${unclear.join(", ")}: left out`);
  const profiles = [...awsProfiles(world).keys()];
  if (profiles.length > 0) told.push(`AWS profiles: ${profiles.join(", ")}`);
  return {
    target,
    clouddriver: clouddriver.url,
    gate: gate === SPIN_ENDPOINT ? undefined : gate,
    awsRegion: settings.awsRegion.value ?? settings.profileRegion.value,
    accounts: [...clouddriver.accounts, ...known],
    told,
  };
}

async function findClouddriver(
  context: Context,
  settings: Settings,
): Promise<{ url: string | undefined; accounts: Found["accounts"] }> {
  const named = settings.clouddriver.value;
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

/** What the target's files name; a name that two files give to different accounts is nobody's. */
function accountsOfTarget(
  target: Found["target"],
  { home, cwd }: World,
): { known: Found["accounts"]; unclear: string[] } {
  const known = new Map<string, Found["accounts"][number]>();
  const unclear = new Set<string>();
  for (const account of accountsInFiles(target, home, cwd)) {
    const other = known.get(account.name);
    if (other && !isDeepStrictEqual(other, account)) unclear.add(account.name);
    known.set(account.name, account);
  }
  return { known: [...known.values()].filter(({ name }) => !unclear.has(name)), unclear: [...unclear] };
}

function accountsInFiles(target: Found["target"], home: string, cwd: string): Found["accounts"] {
  if (target === undefined) return [];
  if (target.kind === "halyard") {
    const hal = join(home, ".hal");
    return accountsOfHalyard(
      (deployment) => join(hal, deployment, "profiles", "clouddriver-local.yml"),
      join(hal, "config"),
    );
  }
  return [...directoriesBelow(join(cwd, target.path), MAX_DEPTH)].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name))
      .flatMap((name) => accountsIn(join(directory, name))),
  );
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
