/** A place in a file where a service's profile begins: at its root, or below `prefix` in a SpinnakerService. */
export interface Place {
  path: string;
  prefix: readonly string[];
}

export interface PluginPlace extends Place {
  role: "clouddriver" | "gate";
  /** `plugins-root-path` that this layout needs, where nothing else sets one. */
  pluginsRoot?: string;
}

export interface RolloutScope {
  gate: boolean;
  /** Only the role that runs caching agents is touched. */
  cachingOnly: boolean;
}

/** A layout of configuration files, as far as `aec` writes to it. */
export interface Target {
  /** `halyard:<directory>`: how results name it. */
  label: string;
  directory: string;
  /** The Spinnaker version, where the files tell it, and where it was looked for. */
  version: string | undefined;
  versionSource: string;
  /** Where the plugin belongs; both roles need it. */
  plugin: readonly PluginPlace[];
  /** The one place that gets intervals, and all that may hold some, lowest precedence first. */
  polling: {
    write: Place;
    sources: readonly Place[];
    /** Where environment variables of the service are set, which do not override intervals. */
    environment?: readonly Place[];
  };
  /** A manifest that does not exist yet starts with these keys, and is listed in a kustomization. */
  manifest?: Manifest;
  /** A directory that kustomize builds into a SpinnakerService. */
  recipe?: string;
  /** The base's apiVersion, for patches of a SpinnakerService. */
  apiVersion?: string;
  /** What a person should know before writing. */
  notes: readonly string[];
  rollout(scope: RolloutScope): string[];
  /** How to prove that the plugin is loaded, strongest first. */
  proof(gateUrl: string | undefined): string[];
}

/** A patch of the SpinnakerService that `aec` owns. */
export interface Manifest {
  path: string;
  head: readonly { keys: readonly string[]; value: string }[];
  kustomization: string;
  /** The path as the kustomization lists it. */
  entry: string;
  /** Kind and name of the patched object, for a list that needs a target. */
  targetKind: string;
  targetName: string;
}

export function gateProof(gateUrl = "http://localhost:8084"): string {
  return `curl -s '${gateUrl}/plugins/installed?service=gate'   # must list Armory.AWSCATsOnEvent`;
}

export function logProof(namespace: string, deployment: string): string {
  return `kubectl -n ${namespace} logs deploy/${deployment} | grep 'Start plugin'   # Armory.AWSCATsOnEvent@…`;
}

export function notifyProof(path: string): string {
  return `aec sns create --aws-region REGION --endpoint https://GATE${path}   # must end with: confirmed`;
}
