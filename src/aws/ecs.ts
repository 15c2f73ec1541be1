import {
  ApplicationAutoScalingClient,
  paginateDescribeScalableTargets,
  type ScalableTarget,
} from "@aws-sdk/client-application-auto-scaling";
import {
  DescribeServicesCommand,
  ECSClient,
  paginateListClusters,
  paginateListServices,
} from "@aws-sdk/client-ecs";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

/** Services of one question, at the most (DescribeServices). */
const DESCRIBED_AT_ONCE = 10;
const PAGE_SIZE = 100;
/** DescribeScalableTargets gives no more. */
const TARGETS_PAGE_SIZE = 50;

/** A service as Clouddriver shows it. */
export interface EcsService {
  name: string;
  cluster: string;
  desired: number;
  min: number;
  max: number;
  /** `shop:7`. */
  taskDefinition: string;
}

/**
 * The ECS services of an account and Region that Clouddriver can show: those with a scalable target
 * (EcsServerClusterProvider of clouddriver-ecs), and with a name that only one cluster has (it knows them by name).
 */
export async function ecsServices(context: Context, place: Place): Promise<EcsService[]> {
  const [all, targets] = await Promise.all([allServices(context, place), scalableTargets(context, place)]);
  const clusters = new Map<string | undefined, number>();
  for (const { serviceName } of all) clusters.set(serviceName, (clusters.get(serviceName) ?? 0) + 1);
  const services = all.filter(({ serviceName }) => clusters.get(serviceName) === 1);
  return services.flatMap(
    ({ serviceName: name = "", clusterArn = "", desiredCount, taskDefinition = "" }) => {
      const cluster = afterLastSlash(clusterArn);
      const target = targets.get(`service/${cluster}/${name}`);
      if (!target) return [];
      return [
        {
          name,
          cluster,
          desired: desiredCount ?? 0,
          min: target.MinCapacity ?? 0,
          max: target.MaxCapacity ?? 0,
          taskDefinition: afterLastSlash(taskDefinition),
        },
      ];
    },
  );
}

/** Those of all clusters. */
export async function allServices(context: Context, place: Place) {
  const client = watchCalls(new ECSClient(clientConfig(context, place, "ECS")), context);
  const clusters = await awsCall("ecs:ListClusters", async () => {
    const arns: string[] = [];
    for await (const { clusterArns = [] } of paginateListClusters({ client, pageSize: PAGE_SIZE }, {}))
      arns.push(...clusterArns);
    return arns;
  });
  const found = await Promise.all(clusters.map((cluster) => servicesOf(client, cluster)));
  return found.flat();
}

async function servicesOf(client: ECSClient, cluster: string) {
  const names = await awsCall("ecs:ListServices", async () => {
    const arns: string[] = [];
    const pages = paginateListServices({ client, pageSize: PAGE_SIZE }, { cluster });
    for await (const { serviceArns = [] } of pages) arns.push(...serviceArns);
    return arns;
  });
  return awsCall("ecs:DescribeServices", async () => {
    const found = [];
    for (let from = 0; from < names.length; from += DESCRIBED_AT_ONCE) {
      const services = names.slice(from, from + DESCRIBED_AT_ONCE);
      const answer = await client.send(new DescribeServicesCommand({ cluster, services }));
      // One that was deleted meanwhile is told for a while.
      found.push(...(answer.services ?? []).filter(({ status }) => status !== "INACTIVE"));
    }
    return found;
  });
}

/** By what they scale: `service/CLUSTER/NAME`. */
export function scalableTargets(context: Context, place: Place): Promise<Map<string, ScalableTarget>> {
  const config = clientConfig(context, place, "APPLICATION_AUTO_SCALING");
  const client = watchCalls(new ApplicationAutoScalingClient(config), context);
  return awsCall("application-autoscaling:DescribeScalableTargets", async () => {
    const targets = new Map<string, ScalableTarget>();
    const pages = paginateDescribeScalableTargets(
      { client, pageSize: TARGETS_PAGE_SIZE },
      { ServiceNamespace: "ecs" },
    );
    for await (const { ScalableTargets = [] } of pages)
      for (const target of ScalableTargets) targets.set(target.ResourceId ?? "", target);
    return targets;
  });
}

function afterLastSlash(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}
