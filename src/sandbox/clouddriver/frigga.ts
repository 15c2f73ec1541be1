/** A server group's name taken apart, as Clouddriver's monikers show it. */
export interface Moniker {
  app: string;
  cluster: string;
  stack?: string;
  detail?: string;
  sequence?: number;
}

/** Parses `app-stack-detail-v001` by Frigga's convention; the cluster is all but the push number. */
export function parseServerGroupName(name: string): Moniker {
  const [, pushed, sequence] = /^(.+)-v(\d{3,6})$/.exec(name) ?? [];
  const cluster = pushed ?? name;
  const [app = cluster, stack = "", ...detail] = cluster.split("-");
  return {
    app,
    cluster,
    ...(stack !== "" && { stack }),
    ...(detail.length > 0 && { detail: detail.join("-") }),
    ...(sequence !== undefined && { sequence: Number(sequence) }),
  };
}
