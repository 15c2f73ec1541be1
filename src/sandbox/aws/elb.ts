import { balancerArn } from "./arn.ts";
import { type Input, integer, optionalText, text } from "./input.ts";
import type { Inventory } from "./inventory.ts";
import { page } from "./paging.ts";
import { queryProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";

const FIRST = "2012-06-01";
const PAGE = 400;

/** Both generations of Elastic Load Balancing, which share a name and are told apart by the version that is asked for. */
export function createElasticLoadBalancing(inventory: Inventory, account: string): Service {
  const balancers = (region: string, classic: boolean) =>
    inventory.list("load-balancer", region).filter(({ type }) => (type === "classic") === classic);
  const paged = <T>(found: readonly T[], input: Input) =>
    page(found, optionalText(input, "Marker"), integer(input, "PageSize") ?? PAGE);

  return {
    protocol: queryProtocol("http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"),
    actions: {
      DescribeTargetGroups: ({ region, input }) => {
        const names = balancers(region, false).flatMap(({ targetGroups = [] }) => targetGroups);
        const { items, next } = paged(names, input);
        return { TargetGroups: items.map((TargetGroupName) => ({ TargetGroupName })), NextMarker: next };
      },
      DescribeLoadBalancers: ({ region, input }) => {
        if (text(input, "Version") === FIRST) {
          const { items, next } = paged(balancers(region, true), input);
          return {
            LoadBalancerDescriptions: items.map(({ name, scheme, vpcId }) => ({
              LoadBalancerName: name,
              Scheme: scheme,
              VPCId: vpcId,
            })),
            NextMarker: next,
          };
        }
        const { items, next } = paged(balancers(region, false), input);
        return {
          LoadBalancers: items.map((balancer) => ({
            LoadBalancerArn: balancerArn(region, account, balancer),
            LoadBalancerName: balancer.name,
            Type: balancer.type,
            Scheme: balancer.scheme,
            VpcId: balancer.vpcId,
          })),
          NextMarker: next,
        };
      },
    },
  };
}
