import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { usageError } from "../../errors.ts";
import { readText } from "../files.ts";
import { findKustomization } from "../kustomization.ts";
import { PLUGIN_ID } from "../plugin.ts";
import { SERVICE_PROFILES } from "../service-repairs.ts";
import { gateProof, logProof, type Manifest, notifyProof, type Place, type Target } from "../target.ts";
import { assertDirectory } from "./profiles-dir.ts";

/** Where `aec` puts its patch, in the layout of spinnaker-kustomize-patches. */
const PATCH = "plugins/aws-event-cache-plugin.yml";
const OSS = "spinnaker.io/v1alpha2";
const ARMORY = "spinnaker.armory.io/v1alpha2";

interface SpinnakerService {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string };
  spec?: {
    spinnakerConfig?: {
      config?: {
        version?: string | number;
        deploymentEnvironment?: {
          haServices?: { clouddriver?: { enabled?: boolean; disableClouddriverRoDeck?: boolean } };
        };
      };
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
}

/** A SpinnakerService, plain or behind a kustomization. `flavour` insists on one of the two operators. */
export function operatorTarget(directory: string, flavour: "armory" | undefined): Target {
  assertDirectory(directory, flavour ? "--armory" : "--operator");
  const kustomization = findKustomization(directory);
  const found = kustomization ? walk(directory) : manifestsIn(directory);
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
  const path = inPlace?.path ?? (kustomization ? own : base.path);
  const at = (profile: string, file = path): Place => ({
    path: file,
    prefix: [...SERVICE_PROFILES, profile],
  });
  const highAvailability = last(found, ({ haServices }) => haServices?.clouddriver?.enabled) === true;
  const roDeck = last(found, ({ haServices }) => haServices?.clouddriver?.disableClouddriverRoDeck) !== true;
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
  const polled = found.findLast(
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
      sources: found.flatMap(({ path: file }) =>
        ["spinnaker", "clouddriver", ...(highAvailability ? ["clouddriver-caching"] : [])].map((key) =>
          at(key, file),
        ),
      ),
    },
    ...(manifest && { manifest }),
    ...(kustomization && { recipe: directory }),
    apiVersion,
    notes: kustomization?.link
      ? [
          `${kustomization.link} is a link to ${kustomization.path}: every user of that recipe gets the plugin`,
        ]
      : [],
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

interface Kustomization {
  resources?: unknown[];
  bases?: unknown[];
  components?: unknown[];
  patchesStrategicMerge?: unknown[];
  patches?: unknown[];
}

/** Follows local resources, components and patches; a later one overrides an earlier one. */
function walk(directory: string, seen = new Set<string>()): Found[] {
  const kustomization = findKustomization(directory);
  const real = resolve(directory);
  if (!kustomization || seen.has(real)) return [];
  seen.add(real);
  const [lists = {}] = documents(kustomization.path) as Kustomization[];
  const follow = (entries: unknown[] | undefined, base: boolean) =>
    (entries ?? []).flatMap((entry) => {
      const path = typeof entry === "string" ? entry : (entry as { path?: unknown } | null)?.path;
      if (typeof path !== "string") return [];
      const target = join(directory, path);
      if (!existsSync(target)) return [];
      return statSync(target).isDirectory() ? walk(target, seen) : servicesIn(target, base);
    });
  return [
    ...follow(lists.resources, true),
    ...follow(lists.bases, true),
    ...follow(lists.components, true),
    ...follow(lists.patchesStrategicMerge, false),
    ...follow(lists.patches, false),
  ];
}

function manifestsIn(directory: string): Found[] {
  return readdirSync(directory)
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => servicesIn(join(directory, name), true));
}

function servicesIn(path: string, base: boolean): Found[] {
  return documents(path).flatMap((document) => {
    const service = document as SpinnakerService | null;
    return service?.kind === "SpinnakerService" &&
      /^spinnaker\.(armory\.)?io\//.test(service.apiVersion ?? OSS)
      ? [{ path, service, base }]
      : [];
  });
}

function documents(path: string): unknown[] {
  if (!/\.ya?ml$|Kustomization$/.test(path)) return [];
  const parsed = parseAllDocuments(readText(path) ?? "", { logLevel: "silent" });
  if ("empty" in parsed) return [];
  const broken = parsed.find(({ errors }) => errors.length > 0)?.errors[0];
  if (broken) {
    throw usageError("yaml-refused", `${path}: invalid YAML: ${broken.message.split("\n")[0]}`, {
      hint: "mend the file and run again; nothing was written",
    });
  }
  return parsed.map((document) => document.toJS());
}

function names(service: SpinnakerService): boolean {
  return JSON.stringify(service.spec?.spinnakerConfig?.profiles ?? {}).includes(`"${PLUGIN_ID}"`);
}

/** The value that wins after the merge. */
function last<T>(
  found: readonly Found[],
  pick: (config: {
    version?: string | number;
    haServices?: { clouddriver?: { enabled?: boolean; disableClouddriverRoDeck?: boolean } };
  }) => T | undefined,
): T | undefined {
  return found
    .map(({ service }) => {
      const config = service.spec?.spinnakerConfig?.config;
      return pick({
        ...(config?.version !== undefined && { version: config.version }),
        ...(config?.deploymentEnvironment?.haServices && {
          haServices: config.deploymentEnvironment.haServices,
        }),
      });
    })
    .findLast((value) => value !== undefined);
}
