import {
  ElasticLoadBalancingClient,
  paginateDescribeLoadBalancers as paginateClassic,
} from "@aws-sdk/client-elastic-load-balancing";
import {
  ElasticLoadBalancingV2Client,
  paginateDescribeLoadBalancers,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Place } from "./places.ts";

const PAGE_SIZE = 400;

export interface LoadBalancer {
  name: string;
  /** `classic`, `application`, `network`, `gateway`. */
  type: string;
  scheme: string;
  vpcId: string;
}

/** All balancers of both generations of an account and Region. */
export async function loadBalancers(context: Context, place: Place): Promise<LoadBalancer[]> {
  return awsCall("elasticloadbalancing:DescribeLoadBalancers", async () =>
    (await Promise.all([classic(context, place), second(context, place)])).flat(),
  );
}

async function classic(context: Context, place: Place): Promise<LoadBalancer[]> {
  const config = clientConfig(context, place, "ELASTIC_LOAD_BALANCING");
  const client = watchCalls(new ElasticLoadBalancingClient(config), context);
  const found: LoadBalancer[] = [];
  for await (const { LoadBalancerDescriptions = [] } of paginateClassic(
    { client, pageSize: PAGE_SIZE },
    {},
  )) {
    for (const {
      LoadBalancerName: name = "",
      Scheme: scheme = "",
      VPCId: vpcId = "",
    } of LoadBalancerDescriptions)
      found.push({ name, type: "classic", scheme, vpcId });
  }
  return found;
}

async function second(context: Context, place: Place): Promise<LoadBalancer[]> {
  const config = clientConfig(context, place, "ELASTIC_LOAD_BALANCING_V2");
  const client = watchCalls(new ElasticLoadBalancingV2Client(config), context);
  const found: LoadBalancer[] = [];
  for await (const { LoadBalancers = [] } of paginateDescribeLoadBalancers(
    { client, pageSize: PAGE_SIZE },
    {},
  )) {
    for (const {
      LoadBalancerName: name = "",
      Type: type = "",
      Scheme: scheme = "",
      VpcId: vpcId = "",
    } of LoadBalancers)
      found.push({ name, type, scheme, vpcId });
  }
  return found;
}
