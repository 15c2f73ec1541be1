import { CLUSTER, DESIRED, MAX, MIN, taskDefinitionOf } from "../aws/ecs.ts";
import type { Plain, PlainKind } from "../aws/inventory.ts";
import type { Cache, Entry } from "./cache.ts";

type PlainEntry = Entry<PlainKind>;

/** Routes that answer one list of a plain kind, whole or of what the query and the path name. */
const LISTS: Readonly<Record<string, { kind: PlainKind; view: (entry: PlainEntry) => object }>> = {
  "/subnets/aws": { kind: "subnet", view: ({ resource: { id, state } }) => ({ id, state }) },
  "/networks/aws": { kind: "vpc", view: ({ resource: { id, name } }) => ({ id, name }) },
  "/keyPairs": { kind: "key-pair", view: ({ resource: { id } }) => ({ keyName: id }) },
  "/elasticIps/:account": { kind: "elastic-ip", view: ({ resource: { id } }) => ({ address: id }) },
  "/aws/cloudFormation/stacks": {
    kind: "stack",
    view: ({ resource: { id, name, state } }) => ({ stackId: id, stackName: name, stackStatus: state }),
  },
  "/functions": {
    kind: "function",
    view: ({ resource: { id, name, state } }) => ({ functionName: name, functionArn: id, state }),
  },
};

/** The plain lists as routes: template, and what answers from the query and the parameters. */
export function plainLists(cache: Cache) {
  const lists = Object.entries(LISTS).map(([template, { kind, view }]) => ({
    template,
    answer: (wanted: { account?: string | null | undefined; region?: string | null }) =>
      cache
        .all(kind)
        .filter(
          ({ account, region }) =>
            (wanted.account ?? account) === account && (wanted.region ?? region) === region,
        )
        .map((entry) => ({
          account: entry.account,
          accountName: entry.account,
          region: entry.region,
          ...view(entry),
        })),
  }));
  // Roles are those of whole accounts: no Region is shown.
  const roles = () =>
    cache.all("iam-role").map(({ account, resource: { id, name } }) => ({ accountName: account, id, name }));
  return [...lists, { template: "/roles/aws", answer: roles }];
}

/** An ECS service of one task, shown as a server group. */
export function ecsServiceView(
  { account, region, resource }: PlainEntry,
  health: { targets: Plain | undefined; task: Plain | undefined },
): object {
  const { name, state } = resource;
  // What no balancer is known of has no health from one (ContainerInformationService).
  const platform = health.targets === undefined || health.targets.state === "healthy" ? "Up" : "Starting";
  const task = {
    name: `${name}-task`,
    healthState: "Up",
    health: [
      { type: "loadBalancer", state: health.task?.state === "healthy" ? "Up" : "Unknown" },
      { type: "ecs", healthClass: "platform", state: platform },
    ],
  };
  return {
    name,
    account,
    region,
    type: "ecs",
    cloudProvider: "ecs",
    state,
    ecsCluster: CLUSTER,
    taskDefinition: { taskName: taskDefinitionOf(resource) },
    capacity: { min: MIN, desired: DESIRED, max: MAX },
    instances: [task],
  };
}

export function instanceView({ account, region, resource: { id, state } }: PlainEntry): object {
  return { name: id, account, region, cloudProvider: "aws", state: { name: state } };
}

export function imageView({ account, region, resource: { id, name } }: PlainEntry): object {
  return { imageName: name, amis: { [region]: [id] }, accounts: [account] };
}
