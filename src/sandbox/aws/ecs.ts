import { arn } from "./arn.ts";
import { awsError } from "./error.ts";
import { integer, optionalText, text, texts } from "./input.ts";
import type { Inventory } from "./inventory.ts";
import { page } from "./paging.ts";
import { jsonProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";

/** All services of the sandbox run in it. */
export const CLUSTER = "main";
/** In the state of a service: nothing scales it. */
export const UNSCALED = "unscaled";
export const [MIN, DESIRED, MAX] = [0, 1, 10];
const MAX_DESCRIBED = 10;
const DEFAULT_PAGE = 10;

/** What a service runs; its state stands for the revision. */
export const taskDefinitionOf = ({ name, state }: { name: string; state: string }): string =>
  `${name}:${state.replaceAll(/\W/g, "")}`;

/** ECS over the inventory: services that are there. */
export function createEcs(inventory: Inventory, account: string): Service {
  const clusterArn = (region: string) => arn("ecs", region, account, `cluster/${CLUSTER}`);
  const serviceArn = (region: string, name: string) =>
    arn("ecs", region, account, `service/${CLUSTER}/${name}`);
  return {
    protocol: jsonProtocol("1.1"),
    actions: {
      ListClusters: ({ region }) => ({ clusterArns: [clusterArn(region)] }),
      ListServices: ({ region, input }) => {
        const cluster = text(input, "cluster");
        if (cluster !== CLUSTER && cluster !== clusterArn(region))
          throw awsError("ClusterNotFoundException", "Cluster not found.");
        const all = inventory.list("ecs-service", region).map(({ name }) => serviceArn(region, name));
        const { items, next } = page(
          all,
          optionalText(input, "nextToken"),
          integer(input, "maxResults") ?? DEFAULT_PAGE,
        );
        return { serviceArns: items, nextToken: next };
      },
      DescribeServices: ({ region, input }) => {
        const named = texts(input, "services");
        if (named.length > MAX_DESCRIBED)
          throw awsError("InvalidParameterException", "Services cannot have more than 10 elements.");
        const services = inventory
          .list("ecs-service", region)
          .filter(({ name }) => named.includes(name) || named.includes(serviceArn(region, name)));
        return {
          services: services.map((service) => ({
            serviceName: service.name,
            serviceArn: serviceArn(region, service.name),
            clusterArn: clusterArn(region),
            status: "ACTIVE",
            desiredCount: DESIRED,
            taskDefinition: arn("ecs", region, account, `task-definition/${taskDefinitionOf(service)}`),
          })),
          failures: [],
        };
      },
    },
  };
}

/** Application Auto Scaling: what scales the services. */
export function createApplicationAutoScaling(inventory: Inventory): Service {
  return {
    protocol: jsonProtocol("1.1"),
    actions: {
      DescribeScalableTargets: ({ region, input }) => {
        text(input, "ServiceNamespace");
        const scaled = inventory.list("ecs-service", region).filter(({ state }) => state !== UNSCALED);
        const { items, next } = page(
          scaled,
          optionalText(input, "NextToken"),
          integer(input, "MaxResults") ?? DEFAULT_PAGE,
        );
        return {
          ScalableTargets: items.map(({ name }) => ({
            ServiceNamespace: "ecs",
            ResourceId: `service/${CLUSTER}/${name}`,
            ScalableDimension: "ecs:service:DesiredCount",
            MinCapacity: MIN,
            MaxCapacity: MAX,
          })),
          NextToken: next,
        };
      },
    },
  };
}
