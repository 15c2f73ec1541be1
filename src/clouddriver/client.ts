import type { Context } from "../context.ts";
import { requestJson, type Service } from "../http.ts";
import { configuredFetch } from "../tls.ts";
import { readAccounts } from "./accounts.ts";
import { parseAddresses, replicasOf } from "./addresses.ts";
import { type AgentExecution, newestExecutions, sharedExecutions } from "./executions.ts";
import { createReads } from "./reads.ts";
import { createSearch } from "./search.ts";

/** A record of an on-demand refresh that no full pass has confirmed yet. */
export interface PendingRefresh {
  /** The key in the cache; absent on some versions. */
  id?: string;
  details?: { account?: string; region?: string; serverGroup?: string };
  /** ms since the epoch. */
  cacheTime?: number;
  processedCount?: number;
}

export function isUnprocessed({ processedCount = 0 }: PendingRefresh): boolean {
  return processedCount === 0;
}

/** Kinds that `POST /cache/{provider}/{kind}` knows and `aec` uses. */
export type OnDemandKind =
  | "aws/ServerGroup"
  | "aws/SecurityGroup"
  | "aws/LoadBalancer"
  | "aws/CloudFormation"
  | "aws/Function"
  | "ecs/ServerGroup";

/** What an on-demand refresh answers: ids by type, where something was found. */
export type OnDemandAnswer = { cachedIdentifiersByType?: Record<string, unknown[]> } | null;

const CLOUDDRIVER = {
  name: "Clouddriver",
  code: "clouddriver",
  reach: "check --clouddriver-url; from a laptop: --kube-namespace, or kubectl port-forward",
  identity: "--clouddriver-url has to name Clouddriver itself (port 7002), not Gate, Deck or a login page",
  login: "with Fiat on, name a user who may: --spinnaker-user",
} as const satisfies Service;

/** Clouddriver's HTTP API, as far as `aec` uses it. Throws a usage error when no address is configured. */
export function createClouddriver(context: Context) {
  const { reader, writer, caching } = parseAddresses(context);
  const tls = configuredFetch(context);
  const service: Service = { ...CLOUDDRIVER, ...(tls && { fetch: tls }) };
  const reads = createReads(service, (path, base = reader) => requestJson(context, service, base, path));
  const segment = encodeURIComponent;

  return {
    ...createSearch(reads),
    accounts: () => readAccounts(reads),

    /** Executions of all agents, the newest over the replicas, and Clouddriver's clock. */
    executions: sharedExecutions(context.world, async () => {
      const ask = (urls: readonly string[]) =>
        newestExecutions(urls.map((url) => reads.list<AgentExecution>("/cache/introspection", url)));
      const replicas = await replicasOf(caching, context);
      // Where a proxy routes by host names, addresses lead nowhere.
      return ask(replicas).catch((error) => {
        if (replicas.every((url) => caching.includes(url))) throw error;
        return ask(caching);
      });
    }),

    /** Asks for an on-demand refresh. The status proves nothing (200 for nearly everything): read back. */
    refresh: (kind: OnDemandKind, body: Readonly<Record<string, unknown>>) =>
      requestJson<OnDemandAnswer>(context, service, writer, `/cache/${kind}`, { method: "POST", body }),

    /** Records of on-demand refreshes that no full pass has confirmed yet. */
    pending: async (kind: OnDemandKind) => (await reads.list<PendingRefresh>(`/cache/${kind}`, writer)).body,

    /** The server group as cached, or undefined. */
    serverGroup: (account: string, region: string, name: string) =>
      reads.one<ServerGroup>(`/serverGroups/${segment(account)}/${segment(region)}/${segment(name)}`),

    /** Ids and names of the security groups that are cached. */
    async securityGroups(account: string, region: string): Promise<SecurityGroupSummary[]> {
      const path = `/securityGroups/${segment(account)}/aws?region=${segment(region)}`;
      return (await reads.list<SecurityGroupSummary>(path)).body;
    },

    /** The security group as cached, by id, or undefined. */
    securityGroup(account: string, region: string, { id, vpcId }: SecurityGroupSummary) {
      const vpc = vpcId ? `&vpcId=${segment(vpcId)}` : "";
      return reads.one<object>(
        `/securityGroups/${segment(account)}/aws/${segment(region)}/${segment(id)}?getById=true${vpc}`,
      );
    },

    /** The balancers of that name as cached; empty where there is none. */
    async loadBalancers(account: string, region: string, name: string): Promise<LoadBalancer[]> {
      const path = `/aws/loadBalancers/${segment(account)}/${segment(region)}/${segment(name)}`;
      return (await reads.one<LoadBalancer[]>(path)) ?? [];
    },

    /** What a route of Clouddriver answers, undefined for a 404. */
    one: (path: string) => reads.one<object>(path),
    /** A list that a route of Clouddriver answers. */
    list: async <T>(path: string): Promise<T[]> => (await reads.list<T>(path)).body,
  };
}

export type Clouddriver = ReturnType<typeof createClouddriver>;

export interface ServerGroup {
  name: string;
  capacity?: { min?: number; max?: number; desired?: number };
  instances?: { name?: string; id?: string; healthState?: string; health?: { state?: string }[] }[];
  disabled?: boolean;
  isDisabled?: boolean;
  /** Names of classic balancers. */
  loadBalancers?: string[];
  /** Names, too. */
  targetGroups?: string[];
  /** AWS's own description, in lower camel case. */
  asg?: { instances?: { instanceId?: string }[] };
  /** Of ECS services alone. */
  ecsCluster?: string;
  taskDefinition?: { taskName?: string };
  [key: string]: unknown;
}

export interface SecurityGroupSummary {
  id: string;
  name: string;
  vpcId?: string | null;
}

export interface LoadBalancer {
  /** Absent for classic balancers on some versions. */
  loadBalancerType?: string;
  [key: string]: unknown;
}
