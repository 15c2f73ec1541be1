import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/** What a Halyard directory says about one deployment; `config` itself is read, never written, never shown. */
export interface HalyardDeployment {
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
  namespace: string | undefined;
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

/** Reads `<halDir>/config`; `deployment` defaults to its `currentDeployment`. Throws usage errors. */
export function readHalyard(halDir: string, deployment: string | undefined): HalyardDeployment {
  if (!existsSync(halDir) || !statSync(halDir).isDirectory()) {
    throw usageError("halyard-missing", `no Halyard directory at ${halDir}`, {
      hint: "name it: --hal-dir DIR (the daemon's user decides; /home/spinnaker/.hal on Debian installs)",
    });
  }
  const config = readConfig(join(halDir, "config"));
  const name = deployment ?? config?.currentDeployment ?? "default";
  const known = (config?.deploymentConfigurations ?? []).map((entry) => String(entry.name));
  const entry = config?.deploymentConfigurations?.find((candidate) => candidate.name === name);
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
    namespace: environment?.location ?? undefined,
  };
}

function readConfig(path: string): HalConfig | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return (parse(readFileSync(path, "utf8"), { uniqueKeys: false }) as HalConfig | null) ?? undefined;
  } catch (cause) {
    // The text may hold secrets, so the parser's excerpt stays out of the message.
    throw usageError("halyard-config-invalid", `${path} is not valid YAML`, {
      hint: "check it with: hal config",
      cause,
    });
  }
}
