import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { usageError } from "../../errors.ts";
import { parseYaml, properties } from "../../yaml/parse.ts";
import { findKustomization } from "../kustomization.ts";
import { PLUGIN_ID } from "../plugin.ts";
import { type RecipeEntry, readDocuments, readRecipe } from "../recipe.ts";
import { SERVICE_PROFILES } from "../service-repairs.ts";
import { gateProof, logProof, type Manifest, notifyProof, type Place, type Target } from "../target.ts";
import { assertDirectory } from "./profiles-dir.ts";

/** Where `aec` puts its patch, in the layout of spinnaker-kustomize-patches. */
const PATCH = "plugins/aws-event-cache-plugin.yml";
const OSS = "spinnaker.io/v1alpha2";
const ARMORY = "spinnaker.armory.io/v1alpha2";

interface ServiceConfig {
  version?: string | number;
  deploymentEnvironment?: {
    haServices?: { clouddriver?: { enabled?: boolean; disableClouddriverRoDeck?: boolean } };
  };
}

interface SpinnakerService {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string };
  spec?: {
    spinnakerConfig?: {
      config?: ServiceConfig;
      profiles?: Record<string, unknown>;
    };
  };
}

/** One SpinnakerService document, base or patch, in the order in which kustomize merges them. */
interface Found {
  path: string;
  service: SpinnakerService;
  /** Reached as a resource, not as a patch. */
  base: boolean;
  /** Written inside a kustomization, where `aec` does not edit. */
  inline: boolean;
}

/** A SpinnakerService, plain or behind a kustomization. `flavour` insists on one of the two operators. */
export function operatorTarget(directory: string, flavour: "armory" | undefined): Target {
  assertDirectory(directory, flavour ? "--armory" : "--operator");
  const kustomization = findKustomization(directory);
  const recipe = kustomization && readRecipe(directory);
  const found = (recipe?.entries ?? manifestsIn(directory)).flatMap(servicesIn);
  assertOneService(directory, found);
  const base = found.find(({ base: isBase }) => isBase) ?? found[0];
  if (!base) {
    throw usageError("no-spinnaker-service", `${directory} has no SpinnakerService`, {
      hint: "name the directory of its kustomization; the operator-less layout is --kustomize",
    });
  }
  const apiVersion = base.service.apiVersion ?? OSS;
  if (flavour === "armory" && apiVersion !== ARMORY) {
    throw usageError("not-armory", `${base.path} is ${apiVersion}, not Armory's ${ARMORY}`, {
      hint: "use --operator for the open-source operator",
    });
  }
  const name = base.service.metadata?.name ?? "spinnaker";
  const own = join(directory, PATCH);
  const inPlace = found.find(({ path, service }) => path !== own && names(service));
  if (inPlace?.inline) {
    throw usageError("inline-patch", `${inPlace.path} has the plugin in a patch of its own text`, {
      hint: "move that patch to a file: aec edits files",
    });
  }
  const files = found.filter(({ inline }) => !inline);
  const path = inPlace?.path ?? (kustomization ? own : base.path);
  const at = (profile: string, file = path): Place => ({
    path: file,
    prefix: [...SERVICE_PROFILES, profile],
  });
  const ha = (config: ServiceConfig) => config.deploymentEnvironment?.haServices?.clouddriver;
  const highAvailability = last(found, (config) => ha(config)?.enabled) === true;
  const roDeck = last(found, (config) => ha(config)?.disableClouddriverRoDeck) !== true;
  const manifest: Manifest | undefined =
    kustomization && !inPlace
      ? {
          path: own,
          head: [
            { keys: ["apiVersion"], value: apiVersion },
            { keys: ["kind"], value: "SpinnakerService" },
            { keys: ["metadata", "name"], value: name },
          ],
          kustomization: kustomization.path,
          entry: PATCH,
          targetKind: "SpinnakerService",
          targetName: name,
        }
      : undefined;
  const clouddrivers = highAvailability
    ? ["caching", "rw", "ro", ...(roDeck ? ["ro-deck"] : [])].map((role) => `spin-clouddriver-${role}`)
    : ["spin-clouddriver"];
  // What the operator turns into clouddriver-caching-local.yml, which ranks above the shared profile.
  const profile = highAvailability ? "clouddriver-caching" : "clouddriver";
  const polled = files.findLast(
    ({ service }) => service.spec?.spinnakerConfig?.profiles?.[profile] !== undefined,
  );
  return {
    label: `operator:${directory}`,
    directory,
    version: last(found, ({ version }) => version)?.toString(),
    versionSource: "spec.spinnakerConfig.config.version",
    plugin: [
      { ...at("clouddriver"), role: "clouddriver" },
      { ...at("gate"), role: "gate" },
    ],
    polling: {
      write: at(profile, polled?.path ?? path),
      // Whatever file it is in, a higher profile wins over a lower one.
      sources: ["spinnaker", "clouddriver", ...(highAvailability ? ["clouddriver-caching"] : [])].flatMap(
        (key) => files.map(({ path: file }) => at(key, file)),
      ),
    },
    ...(manifest && { manifest }),
    ...(kustomization && { recipe: directory }),
    apiVersion,
    notes: [
      ...(kustomization?.link
        ? [
            `${kustomization.link} is a link to ${kustomization.path}: every user of that recipe gets the plugin`,
          ]
        : []),
      ...(recipe?.unread ?? []).map((entry) => `not read, since it is no local file of YAML: ${entry}`),
    ],
    rollout: ({ gate, cachingOnly }) => [
      kustomization
        ? `kubectl -n spinnaker apply -k ${directory}`
        : `kubectl -n spinnaker apply -f ${base.path}`,
      `kubectl -n spinnaker get spinsvc ${name} -w`,
      ...[...(cachingOnly ? clouddrivers.slice(0, 1) : clouddrivers), ...(gate ? ["spin-gate"] : [])].map(
        (deployment) => `kubectl -n spinnaker rollout status deploy/${deployment}`,
      ),
    ],
    proof: (gateUrl) => [
      gateProof(gateUrl),
      logProof("spinnaker", clouddrivers[0] ?? "spin-clouddriver"),
      notifyProof("/aws/notify"),
    ],
  };
}

function manifestsIn(directory: string): RecipeEntry[] {
  return readdirSync(directory)
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ path, base: true, inline: false, documents: readDocuments(path) }));
}

function servicesIn({ path, base, inline, documents }: RecipeEntry): Found[] {
  return documents.flatMap((document) => {
    const service = document as SpinnakerService | null;
    return service?.kind === "SpinnakerService" &&
      /^spinnaker\.(armory\.)?io\//.test(service.apiVersion ?? OSS)
      ? [{ path, base, inline, service }]
      : [];
  });
}

/** One operator runs several SpinnakerServices; which of them is meant cannot be guessed. */
function assertOneService(directory: string, found: readonly Found[]): void {
  const names = new Set(
    found.filter(({ base }) => base).map(({ service }) => service.metadata?.name ?? "spinnaker"),
  );
  if (names.size < 2) return;
  throw usageError(
    "several-services",
    `${directory} has ${names.size} SpinnakerServices: ${[...names].join(", ")}`,
    { hint: "name the directory of one of them" },
  );
}

function names(service: SpinnakerService): boolean {
  const profiles = parseYaml(stringify(service.spec?.spinnakerConfig?.profiles ?? {}), "profiles");
  return properties(profiles).some(({ keys }) => keys.join(".").includes(`.plugins.${PLUGIN_ID}.`));
}

/** The value that wins after the merge. */
function last<T>(found: readonly Found[], pick: (config: ServiceConfig) => T | undefined): T | undefined {
  return found
    .map(({ service }) => pick(service.spec?.spinnakerConfig?.config ?? {}))
    .findLast((value) => value !== undefined);
}
