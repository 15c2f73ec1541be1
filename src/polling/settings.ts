import { readText } from "../install/files.ts";
import { openPlaces } from "../install/places.ts";
import { type FilePlan, planListing, rivals } from "../install/plan.ts";
import { below } from "../install/profile.ts";
import type { Place, Target } from "../install/target.ts";
import { editYaml } from "../yaml/edit.ts";
import { type Property, sameProperty, type YamlFile } from "../yaml/parse.ts";

/** Seconds, as Clouddriver has them. */
export interface PollingSettings {
  intervalSeconds: number;
  errorIntervalSeconds: number;
  timeoutSeconds: number;
}

/** What `--polling` and `--preset` name: production as shipped, non-production four times as rare. */
export const PRESETS = {
  production: { intervalSeconds: 30, errorIntervalSeconds: 30, timeoutSeconds: 300 },
  "non-production": { intervalSeconds: 120, errorIntervalSeconds: 120, timeoutSeconds: 300 },
} as const;
export type Preset = keyof typeof PRESETS;

/** Clouddriver's own defaults (RedisConfigurationProperties, SqlAgentProperties). */
const STOCK: PollingSettings = PRESETS.production;

const FIELDS = ["intervalSeconds", "errorIntervalSeconds", "timeoutSeconds"] as const;

/** Property prefixes that Clouddriver reads intervals from, by the kind of cache. */
export type Namespace = "redis.poll" | "sql.agent.poll";

/** One configured key; `inForce` says whether Clouddriver obeys it. */
export interface ConfiguredKey {
  file: string;
  key: string;
  value: unknown;
  /** The profile of a SpinnakerService that holds it. */
  profile?: string;
  inForce: boolean;
  /** Why a key is not in force. */
  reason?: string;
}

interface Source {
  place: Place;
  file: YamlFile;
}

type Read = (path: string) => string | undefined;

function readSources({ polling }: Target, read: Read): Source[] {
  return polling.sources.flatMap((place) => {
    const text = read(place.path);
    return text === undefined ? [] : [{ place, file: openPlaces(text, place.path, [place]) }];
  });
}

function propertiesOf(sources: readonly Source[]): Property[] {
  return sources.flatMap(({ place, file }) => below(file, place.prefix));
}

/**
 * The namespaces in force: `redis.poll` while Redis is on (the default), `sql.agent.poll` with `sql.cache.enabled`.
 * With both on, Clouddriver's choice hangs on bean order, so both are written with equal values.
 */
function namespaces(sources: readonly Source[]): Namespace[] {
  const last = (keys: readonly string[]) =>
    propertiesOf(sources).findLast((property) => sameProperty(property.keys, keys))?.value;
  const redis = String(last(["redis", "enabled"]) ?? true) === "true";
  const sql = String(last(["sql", "cache", "enabled"]) ?? false) === "true";
  if (sql) return redis ? ["redis.poll", "sql.agent.poll"] : ["sql.agent.poll"];
  return ["redis.poll"];
}

/** Plans the edit of the one place that the agents' role reads. */
export function planPolling(
  target: Target,
  settings: Partial<PollingSettings>,
  read: Read = readText,
): FilePlan {
  const { write } = target.polling;
  const manifest = target.manifest?.path === write.path ? target.manifest : undefined;
  const before = read(write.path);
  const file = openPlaces(before ?? "", write.path, [write]);
  const set = namespaces(readSources(target, read)).flatMap((namespace) =>
    FIELDS.flatMap((field) => {
      const value = settings[field];
      return value === undefined ? [] : [{ keys: [...write.prefix, ...namespace.split("."), field], value }];
    }),
  );
  const head = manifest && before === undefined ? manifest.head : [];
  const after = editYaml(file, { set: [...head, ...set] });
  const pristine = !below(file, write.prefix).some(({ keys }) => namespaceOf(keys) !== undefined);
  const listing = manifest && planListing(manifest, read);
  return {
    files: [{ path: write.path, before, after }, ...(listing ? [listing] : [])],
    pristine: new Set(pristine ? [write.path] : []),
    edits: { set, remove: [] },
    warnings: [...target.notes, ...warnings(settings), ...rivals(file, set)],
  };
}

function warnings({ intervalSeconds, timeoutSeconds }: Partial<PollingSettings>): string[] {
  const found: string[] = [];
  if (timeoutSeconds !== undefined && timeoutSeconds < STOCK.timeoutSeconds) {
    found.push(
      `with a lock life below ${STOCK.timeoutSeconds} s, aec cannot tell a running agent from an idle one: do not use --lock-store with it`,
    );
  }
  if (intervalSeconds === undefined || intervalSeconds <= STOCK.intervalSeconds) return found;
  return [
    ...found,
    `pipelines wait for a full pass of ClusterCachingAgent after each server group operation: up to ${intervalSeconds} s longer`,
  ];
}

/** The intervals in force, defaults filled in. */
export function effectivePolling(target: Target): PollingSettings {
  const keys = configuredPolling(target).filter(({ inForce }) => inForce);
  const pick = (field: (typeof FIELDS)[number]) => {
    const found = keys.findLast(({ key }) => sameProperty([key.split(".").at(-1) ?? ""], [field]))?.value;
    // Spring takes "600" for a number.
    const number = Number(found);
    return found !== undefined && Number.isFinite(number) ? number : STOCK[field];
  };
  return {
    intervalSeconds: pick("intervalSeconds"),
    errorIntervalSeconds: pick("errorIntervalSeconds"),
    timeoutSeconds: pick("timeoutSeconds"),
  };
}

/** Every key of the profiles that looks like a polling interval, with whether Clouddriver reads it. */
export function configuredPolling(target: Target): ConfiguredKey[] {
  const sources = readSources(target, readText);
  const inForce = namespaces(sources);
  const found = sources.flatMap(({ place, file }) =>
    below(file, place.prefix).flatMap(({ keys, value }) => {
      const namespace = namespaceOf(keys);
      return namespace === undefined
        ? []
        : [{ file: file.path, keys, key: keys.join("."), profile: place.prefix.at(-1), value, namespace }];
    }),
  );
  return [...environmentKeys(target), ...found.map(judge)];

  function judge(entry: (typeof found)[number], index: number): ConfiguredKey {
    const base = {
      file: entry.file,
      key: entry.key,
      value: entry.value,
      ...(entry.profile && { profile: entry.profile }),
    };
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
  }
}

/** Variables such as REDIS_POLL_INTERVALSECONDS: measured not to override `redis.poll.*`. */
function environmentKeys({ polling }: Target): ConfiguredKey[] {
  return (polling.environment ?? []).flatMap((place) => {
    const text = readText(place.path);
    if (text === undefined) return [];
    return below(openPlaces(text, place.path, []), place.prefix)
      .filter(({ keys }) => /^(REDIS_POLL|SQL_AGENT_POLL|SQL_POLL)_/.test(keys[0] ?? ""))
      .map(({ keys, value }) => ({
        file: place.path,
        key: keys.join("."),
        value,
        inForce: false,
        reason: "environment variables do not override Clouddriver's intervals",
      }));
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
