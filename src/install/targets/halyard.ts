import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ExpectedError, usageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { readText } from "../files.ts";
import { gateProof, logProof, notifyProof, type RolloutScope, type Target } from "../target.ts";

/** What a Halyard directory says about one deployment; `config` itself is read, never written, never shown. */
interface HalyardDeployment {
  /** `<hal-dir>/<deployment>/profiles`. */
  profilesDir: string;
  name: string;
  /** Undefined without a readable `config`. */
  version: string | undefined;
  /** Clouddriver split into caching, rw and ro. */
  highAvailability: boolean;
  /** With high availability: whether there is an ro-deck. */
  roDeck: boolean;
  metricStores: boolean;
  /** Services run on the host itself, without Kubernetes. */
  localDebian: boolean;
  namespace: string;
}

interface HalConfig {
  currentDeployment?: string;
  deploymentConfigurations?: {
    name?: string;
    version?: string | number;
    deploymentEnvironment?: {
      type?: string;
      location?: string | null;
      haServices?: { clouddriver?: { enabled?: boolean; disableClouddriverRoDeck?: boolean } };
    };
    metricStores?: { enabled?: boolean };
  }[];
}

/** The local profiles of one deployment; `deployment` defaults to the current one. Throws usage errors. */
export function halyardTarget(halDir: string, deployment: string | undefined): Target {
  const found = readHalyard(halDir, deployment);
  const profile = (name: string) => ({ path: join(found.profilesDir, name), prefix: [] });
  // The first two replace what Halyard generates.
  const shared = ["spinnaker.yml", "clouddriver.yml", "spinnaker-local.yml", "clouddriver-local.yml"].map(
    profile,
  );
  const caching = profile("clouddriver-caching-local.yml");
  return {
    label: `halyard:${found.profilesDir}`,
    directory: found.profilesDir,
    version: found.version,
    versionSource: `deployment ${found.name}`,
    // Every clouddriver role reads clouddriver-local.yml, in HA too.
    plugin: [
      { ...profile("clouddriver-local.yml"), role: "clouddriver" },
      { ...profile("gate-local.yml"), role: "gate" },
    ],
    polling: {
      ...(found.highAvailability
        ? { write: caching, sources: [...shared, caching] }
        : { write: profile("clouddriver-local.yml"), sources: shared }),
      environment: ["clouddriver.yml", "clouddriver-caching.yml"].map((name) => ({
        path: join(found.profilesDir, "..", "service-settings", name),
        prefix: ["env"],
      })),
    },
    notes: [],
    rollout: (scope) => rollout(found, scope),
    proof: (gateUrl) => [
      gateProof(gateUrl),
      found.localDebian
        ? "journalctl -u clouddriver | grep 'Start plugin'"
        : logProof(found.namespace, found.highAvailability ? "spin-clouddriver-caching" : "spin-clouddriver"),
      notifyProof("/aws/notify"),
    ],
  };
}

/** Services of a deployment that a change of clouddriver's (or only its caching part's) profile touches. */
function clouddriverServices(found: HalyardDeployment, cachingOnly: boolean): string[] {
  if (!found.highAvailability) return ["clouddriver"];
  if (cachingOnly) return ["clouddriver-caching"];
  // In HA the service "clouddriver" is disabled: naming it would silently update Gate alone.
  const names = ["clouddriver-caching", "clouddriver-rw", "clouddriver-ro"];
  return found.roDeck ? [...names, "clouddriver-ro-deck"] : names;
}

function rollout(found: HalyardDeployment, { gate, cachingOnly }: RolloutScope): string[] {
  if (found.localDebian) {
    const units = gate ? "clouddriver gate" : "clouddriver";
    return [`hal deploy apply --deployment ${found.name}`, `systemctl status ${units}`];
  }
  const services = [...clouddriverServices(found, cachingOnly), ...(gate ? ["gate"] : [])];
  // With metric stores on, hal stops unless the monitoring daemon is named too.
  const named = found.metricStores ? [...services, "monitoring-daemon"] : services;
  return [
    `hal deploy apply --deployment ${found.name} --service-names ${named.join(" ")}`,
    ...services.map((service) => `kubectl -n ${found.namespace} rollout status deploy/spin-${service}`),
  ];
}

function readHalyard(halDir: string, deployment: string | undefined): HalyardDeployment {
  if (!existsSync(halDir) || !statSync(halDir).isDirectory()) {
    throw usageError("halyard-missing", `no Halyard directory at ${halDir}`, {
      hint: "name it: --hal-dir DIR (the daemon's user decides; /home/spinnaker/.hal on Debian installs)",
    });
  }
  const config = readConfig(join(halDir, "config"));
  const name = deployment ?? config?.currentDeployment ?? "default";
  const deployments = config?.deploymentConfigurations ?? [];
  const known = deployments.map((candidate) => String(candidate.name));
  const entry = deployments.find((candidate) => candidate.name === name);
  if (config && !entry) {
    const suggestion = nearest(name, known);
    throw usageError("deployment-unknown", `deployment "${name}" is not in ${join(halDir, "config")}`, {
      hint: suggestion ? `did you mean "${suggestion}"?` : `it has: ${known.join(", ")}`,
    });
  }
  if (!config && !existsSync(join(halDir, name))) {
    throw usageError("halyard-empty", `${halDir} has neither a config nor a deployment "${name}"`, {
      hint: "check --hal-dir and --deployment",
    });
  }
  const environment = entry?.deploymentEnvironment;
  const ha = environment?.haServices?.clouddriver;
  return {
    profilesDir: join(halDir, name, "profiles"),
    name,
    version: entry?.version === undefined ? undefined : String(entry.version),
    highAvailability: ha?.enabled === true,
    roDeck: ha?.disableClouddriverRoDeck !== true,
    metricStores: entry?.metricStores?.enabled === true,
    localDebian: environment?.type === "LocalDebian",
    namespace: environment?.location ?? "spinnaker",
  };
}

/** `hal` writes no other shape; anything else tells no more than a missing file. */
function isHalConfig(value: unknown): value is HalConfig {
  const { deploymentConfigurations: list = [] } = (value ?? {}) as { deploymentConfigurations?: unknown };
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Array.isArray(list) &&
    list.every((entry) => typeof entry === "object" && entry !== null)
  );
}

function readConfig(path: string): HalConfig | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const config: unknown = parse(readText(path) ?? "", { uniqueKeys: false });
    return isHalConfig(config) ? config : undefined;
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    // The text may hold secrets, so the parser's excerpt stays out of the message.
    throw usageError("halyard-config-invalid", `${path} is not valid YAML`, {
      hint: "check it with: hal config",
      cause,
    });
  }
}
