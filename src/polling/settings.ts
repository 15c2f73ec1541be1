import { join } from "node:path";
import { readText } from "../install/files.ts";
import type { HalyardDeployment } from "../install/halyard.ts";
import type { FilePlan } from "../install/plan.ts";
import { editYaml } from "../yaml/edit.ts";
import { parseYaml, properties, sameProperty, type YamlFile } from "../yaml/parse.ts";

/** Seconds, as Clouddriver has them. */
export interface PollingSettings {
  intervalSeconds: number;
  errorIntervalSeconds: number;
  timeoutSeconds: number;
}

/** Clouddriver's own defaults (RedisConfigurationProperties, SqlAgentProperties). */
export const STOCK: PollingSettings = { intervalSeconds: 30, errorIntervalSeconds: 30, timeoutSeconds: 300 };

const FIELDS = ["intervalSeconds", "errorIntervalSeconds", "timeoutSeconds"] as const;

/** Property prefixes that Clouddriver reads intervals from, by the kind of cache. */
export type Namespace = "redis.poll" | "sql.agent.poll";

/** One configured key; `inForce` says whether Clouddriver obeys it. */
export interface ConfiguredKey {
  file: string;
  key: string;
  value: unknown;
  inForce: boolean;
  /** Why a key is not in force. */
  reason?: string;
}

/** Files that can carry intervals, lowest precedence first (Halyard's profile order). */
function pollingFiles(deployment: HalyardDeployment): string[] {
  const names = ["spinnaker-local.yml", "clouddriver-local.yml"];
  if (deployment.highAvailability) names.push("clouddriver-caching-local.yml");
  return names.map((name) => join(deployment.profilesDir, name));
}

/** The one file that `polling set` writes: only the role that runs agents reads intervals. */
function writtenFile(deployment: HalyardDeployment): string {
  const name = deployment.highAvailability ? "clouddriver-caching-local.yml" : "clouddriver-local.yml";
  return join(deployment.profilesDir, name);
}

function readFiles(deployment: HalyardDeployment): YamlFile[] {
  return pollingFiles(deployment).flatMap((path) => {
    const text = readText(path);
    return text === undefined ? [] : [parseYaml(text, path)];
  });
}

/**
 * The namespaces in force: `redis.poll` while Redis is on (the default), `sql.agent.poll` with `sql.cache.enabled`.
 * With both on, Clouddriver's choice hangs on bean order, so both are written with equal values.
 */
function namespaces(files: readonly YamlFile[]): Namespace[] {
  const last = (keys: readonly string[]) =>
    files.flatMap(properties).findLast((property) => sameProperty(property.keys, keys))?.value;
  const redis = String(last(["redis", "enabled"]) ?? true) === "true";
  const sql = String(last(["sql", "cache", "enabled"]) ?? false) === "true";
  if (sql) return redis ? ["redis.poll", "sql.agent.poll"] : ["sql.agent.poll"];
  return ["redis.poll"];
}

/** Plans the edit of the one file that the agents' role reads. */
export function planPolling(deployment: HalyardDeployment, settings: Partial<PollingSettings>): FilePlan {
  const path = writtenFile(deployment);
  const before = readText(path);
  const file = parseYaml(before ?? "", path);
  const set = namespaces(readFiles(deployment)).flatMap((namespace) =>
    FIELDS.flatMap((field) => {
      const value = settings[field];
      return value === undefined ? [] : [{ keys: [...namespace.split("."), field], value }];
    }),
  );
  const after = editYaml(file, { set });
  const pristine = !hasPollingKeys(file);
  return {
    files: [{ path, before, after }],
    pristine: new Set(pristine ? [path] : []),
    warnings: warnings(settings),
  };
}

function hasPollingKeys(file: YamlFile): boolean {
  return properties(file).some(({ keys }) => namespaceOf(keys) !== undefined);
}

function warnings({ intervalSeconds }: Partial<PollingSettings>): string[] {
  if (intervalSeconds === undefined || intervalSeconds <= STOCK.intervalSeconds) return [];
  return [
    `pipelines wait for a full pass of ClusterCachingAgent after each server group operation: up to ${intervalSeconds} s longer`,
  ];
}

/** The intervals in force, defaults filled in. */
export function effectivePolling(deployment: HalyardDeployment): PollingSettings {
  const keys = configuredPolling(deployment).filter(({ inForce }) => inForce);
  const pick = (field: (typeof FIELDS)[number]) => {
    const found = keys.findLast(({ key }) => sameProperty([key.split(".").at(-1) ?? ""], [field]))?.value;
    return typeof found === "number" ? found : STOCK[field];
  };
  return {
    intervalSeconds: pick("intervalSeconds"),
    errorIntervalSeconds: pick("errorIntervalSeconds"),
    timeoutSeconds: pick("timeoutSeconds"),
  };
}

/** Every key of the profiles that looks like a polling interval, with whether Clouddriver reads it. */
export function configuredPolling(deployment: HalyardDeployment): ConfiguredKey[] {
  const files = readFiles(deployment);
  const inForce = namespaces(files);
  const found = files.flatMap((file) =>
    properties(file).flatMap(({ keys, value }) => {
      const namespace = namespaceOf(keys);
      return namespace === undefined
        ? []
        : [{ file: file.path, keys, key: keys.join("."), value, namespace }];
    }),
  );
  return found.map((entry, index) => {
    const base = { file: entry.file, key: entry.key, value: entry.value };
    if (entry.namespace === "sql.poll") {
      return {
        ...base,
        inForce: false,
        reason: "Clouddriver never reads sql.poll; the key is sql.agent.poll",
      };
    }
    if (!inForce.includes(entry.namespace)) {
      return { ...base, inForce: false, reason: `agents are timed by ${inForce.join(" and ")} here` };
    }
    const later = found.slice(index + 1).find(({ keys }) => sameProperty(keys, entry.keys));
    if (later) return { ...base, inForce: false, reason: `${later.file} sets it again and wins` };
    return { ...base, inForce: true };
  });
}

function namespaceOf(keys: readonly string[]): Namespace | "sql.poll" | undefined {
  for (const namespace of ["redis.poll", "sql.agent.poll", "sql.poll"] as const) {
    for (const field of FIELDS) {
      if (sameProperty(keys, [...namespace.split("."), field])) return namespace;
    }
  }
  return undefined;
}
