import type { HalyardDeployment } from "./halyard.ts";

/** Services of a Halyard deployment that a change of clouddriver's (or only its caching part's) profile touches. */
function clouddriverServices(deployment: HalyardDeployment, cachingOnly: boolean): string[] {
  if (!deployment.highAvailability) return ["clouddriver"];
  if (cachingOnly) return ["clouddriver-caching"];
  // In HA the service "clouddriver" is disabled: naming it would silently update Gate alone.
  const names = ["clouddriver-caching", "clouddriver-rw", "clouddriver-ro"];
  return deployment.roDeck ? [...names, "clouddriver-ro-deck"] : names;
}

export interface RolloutScope {
  gate: boolean;
  /** Only the role that runs caching agents is touched. */
  cachingOnly: boolean;
}

/** The exact commands that bring the changed files into the running services. */
export function halyardRollout(deployment: HalyardDeployment, scope: RolloutScope): string[] {
  if (deployment.localDebian) {
    const units = scope.gate ? "clouddriver gate" : "clouddriver";
    return [`hal deploy apply --deployment ${deployment.name}`, `systemctl status ${units}`];
  }
  const services = [...clouddriverServices(deployment, scope.cachingOnly), ...(scope.gate ? ["gate"] : [])];
  // With metric stores on, hal stops unless the monitoring daemon is named too.
  const named = deployment.metricStores ? [...services, "monitoring-daemon"] : services;
  const namespace = deployment.namespace ?? "spinnaker";
  return [
    `hal deploy apply --deployment ${deployment.name} --service-names ${named.join(" ")}`,
    ...services.map((service) => `kubectl -n ${namespace} rollout status deploy/spin-${service}`),
  ];
}

/** How to prove that the plugin is loaded, strongest first. */
export function pluginProof(deployment: HalyardDeployment, gateUrl: string | undefined): string[] {
  const gate = gateUrl ?? "http://localhost:8084";
  const namespace = deployment.namespace ?? "spinnaker";
  const clouddriver = deployment.highAvailability ? "spin-clouddriver-caching" : "spin-clouddriver";
  return [
    `curl -s '${gate}/plugins/installed?service=gate'   # must list Armory.AWSCATsOnEvent`,
    deployment.localDebian
      ? "journalctl -u clouddriver | grep 'Start plugin'"
      : `kubectl -n ${namespace} logs deploy/${clouddriver} | grep 'Start plugin'   # Armory.AWSCATsOnEvent@…`,
    "aec sns create --endpoint https://GATE/aws/notify   # must end with: confirmed",
  ];
}
