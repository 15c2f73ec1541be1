import pLimit from "p-limit";
import type { Context } from "../context.ts";
import { createDebounce } from "../debounce.ts";
import { usageError } from "../errors.ts";
import { notClouddriver, refused, request } from "./http.ts";

type Role = "caching" | "rw" | "ro" | "any";

/** An AWS account as Spinnaker names it. */
export interface Account {
  name: string;
  /** 12 digits. */
  awsAccountId: string;
  regions: readonly string[];
  /** `aws`, `ecs`, … */
  provider: string;
}

/** The last successful run of one caching agent on the replica that was asked. */
export interface AgentExecution {
  /** The agentType, such as `prod/us-east-1/ClusterCachingAgent`. */
  id: string;
  provider: string;
  /** Clouddriver's clock, ms since the epoch. */
  lastExecutionStartMs: number;
  lastExecutionDurationMs: number;
}

export interface Executions {
  byAgent: Map<string, AgentExecution>;
  /** Clouddriver's clock, as `Answer` has it. */
  serverTime: number | undefined;
}

/** A record of an on-demand refresh that no full pass has confirmed yet. */
export interface PendingRefresh {
  details?: { account?: string; region?: string; serverGroup?: string };
  cacheTime?: number;
  processedCount?: number;
}

interface CredentialsEntry {
  name: string;
  cloudProvider?: string;
  type?: string;
  accountId?: string;
  awsAccount?: string;
  regions?: { name: string }[];
}

/** Kinds that `POST /cache/{provider}/{kind}` knows and `aec` uses. */
export type OnDemandKind =
  | "aws/ServerGroup"
  | "aws/SecurityGroup"
  | "aws/LoadBalancer"
  | "aws/CloudFormation"
  | "aws/Function"
  | "ecs/ServerGroup";

/** Reads at one time: what is asked for a thousand things must not be asked at once. */
const MAX_READS = 16;

/** Introspection is asked for no more often. */
const SHARED_MS = 200;

/** Clouddriver's HTTP API, as far as `aec` uses it. Throws a usage error when no address is configured. */
export function createClouddriver(context: Context) {
  const addresses = parseAddresses(context);
  // In HA the caching role runs agents, rw takes refreshes, ro answers reads; one address serves all.
  const byRole = (...roles: Role[]) => {
    const found = roles.flatMap((role) => addresses.filter((address) => address.role === role));
    return (found[0] ?? addresses[0])?.url ?? "";
  };
  const reader = byRole("ro", "rw", "any");
  const writer = byRole("rw", "caching", "any");
  const cachingReplicas = addresses
    .filter(({ role }) => role === "caching" || role === "any")
    .map(({ url }) => url);
  const limit = pLimit(MAX_READS);
  const read = <T>(path: string) => limit(() => request<T>(context, reader, path));
  const readList = async <T>(path: string, base = reader) => {
    const answer = await limit(() => request<T[]>(context, base, path));
    if (Array.isArray(answer.body) && answer.status === 200) return answer;
    if (answer.status >= 400) throw refused(path, answer.status, JSON.stringify(answer.body).slice(0, 200));
    throw notClouddriver(`${path} did not answer a list`, JSON.stringify(answer.body).slice(0, 200));
  };
  const segment = encodeURIComponent;
  // Of a large site this is megabytes: all who ask meanwhile share the next answer.
  const shared = createDebounce<Executions>(context.world.clock, SHARED_MS, context.world.signal);
  /** Only a 404 says that something is not cached. */
  const readOptional = async <T>(path: string): Promise<T | undefined> => {
    const { status, body } = await read<T>(path);
    if (status === 404) return undefined;
    if (status === 200) return body;
    throw refused(path, status, JSON.stringify(body).slice(0, 200));
  };

  return {
    /** AWS accounts with their Regions; other providers are included by their `provider`. */
    async accounts(): Promise<Account[]> {
      const { body } = await readList<CredentialsEntry>("/credentials?expand=true");
      return body.map((entry) => ({
        name: entry.name,
        awsAccountId: entry.accountId ?? entry.awsAccount ?? "",
        regions: (entry.regions ?? []).map(({ name }) => name),
        provider: entry.cloudProvider ?? entry.type ?? "",
      }));
    },

    /** Executions of all agents, the newest over the replicas, and Clouddriver's clock. */
    executions: () => shared("introspection", readExecutions),

    /** Asks for an on-demand refresh. The status proves nothing (200 for nearly everything): read back. */
    refresh: (kind: OnDemandKind, body: Readonly<Record<string, unknown>>) =>
      request<{ cachedIdentifiersByType?: Record<string, unknown[]> } | null>(
        context,
        writer,
        `/cache/${kind}`,
        {
          method: "POST",
          body,
        },
      ),

    async pendingServerGroups(): Promise<PendingRefresh[]> {
      return (await readList<PendingRefresh>("/cache/aws/ServerGroup", writer)).body;
    },

    /** The server group as cached, or undefined. */
    async serverGroup(account: string, region: string, name: string): Promise<ServerGroup | undefined> {
      return readOptional<ServerGroup>(
        `/serverGroups/${segment(account)}/${segment(region)}/${segment(name)}`,
      );
    },

    /** Ids and names of the security groups that are cached. */
    async securityGroups(account: string, region: string): Promise<SecurityGroupSummary[]> {
      const path = `/securityGroups/${segment(account)}/aws?region=${segment(region)}`;
      return (await readList<SecurityGroupSummary>(path)).body;
    },

    /** The security group as cached, by id, or undefined. */
    async securityGroup(
      account: string,
      region: string,
      group: SecurityGroupSummary,
    ): Promise<object | undefined> {
      const vpc = group.vpcId ? `&vpcId=${segment(group.vpcId)}` : "";
      return readOptional<object>(
        `/securityGroups/${segment(account)}/aws/${segment(region)}/${segment(group.id)}?getById=true${vpc}`,
      );
    },

    /** The balancers of that name as cached; empty where there is none. */
    async loadBalancers(account: string, region: string, name: string): Promise<LoadBalancer[]> {
      return (
        (await readOptional<LoadBalancer[]>(
          `/aws/loadBalancers/${segment(account)}/${segment(region)}/${segment(name)}`,
        )) ?? []
      );
    },

    /** Names of everything of a kind that is cached for an account and Region. */
    async names(kind: SearchedKind, account: string, region: string): Promise<string[]> {
      const results = await search(kind, { account, region });
      return results
        .filter((result) => result.account === account && result.region === region)
        .flatMap((result) => result[SEARCHED[kind]] ?? []);
    },

    /** What the cache has of an application, wherever it is; `query` narrows the search on Clouddriver's side. */
    async ofApplication(kind: SearchedKind, application: string): Promise<Found[]> {
      const results = await search(kind, { q: application });
      return results.flatMap((result) => {
        const { account, region, [SEARCHED[kind]]: name } = result;
        const own = result.application?.toLowerCase() === application.toLowerCase();
        return own && account && region && name ? [{ account, region, name }] : [];
      });
    },

    /** What a route of Clouddriver answers, undefined for a 404. */
    one: readOptional,
    /** A list that a route of Clouddriver answers. */
    list: async <T>(path: string): Promise<T[]> => (await readList<T>(path)).body,
  };

  async function readExecutions(): Promise<Executions> {
    const replicas = cachingReplicas.length > 0 ? cachingReplicas : [writer];
    const settled = await Promise.allSettled(
      replicas.map((url) => readList<AgentExecution>("/cache/introspection", url)),
    );
    // What a dead replica knows is missing; agents of which nothing is known do not count as idle.
    const answers = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const [first] = settled;
    if (answers.length === 0 && first?.status === "rejected") throw first.reason;
    const byAgent = new Map<string, AgentExecution>();
    for (const execution of answers.flatMap(({ body }) => body)) {
      const known = byAgent.get(execution.id);
      if (!known || known.lastExecutionStartMs < execution.lastExecutionStartMs)
        byAgent.set(execution.id, execution);
    }
    const times = answers.flatMap(({ serverTime }) => (serverTime === undefined ? [] : [serverTime]));
    return { byAgent, serverTime: times.length > 0 ? Math.max(...times) : undefined };
  }

  async function search(kind: SearchedKind, filter: Record<string, string>) {
    const found: Record<string, string>[] = [];
    for (let page = 1; ; page += 1) {
      const query = new URLSearchParams({
        q: "",
        type: kind,
        cloudProvider: "aws",
        pageSize: "10000",
        page: String(page),
        ...filter,
      });
      const { body } = await readList<SearchAnswer>(`/search?${query}`);
      const results = body[0]?.results ?? [];
      found.push(...results);
      if (results.length === 0 || found.length >= (body[0]?.totalMatches ?? 0)) return found;
    }
  }
}

/** Kinds that Clouddriver's search knows, with the field that names a result (`Keys.parse` of clouddriver-aws). */
const SEARCHED = {
  serverGroups: "serverGroup",
  securityGroups: "id",
  loadBalancers: "loadBalancer",
  targetGroups: "targetGroup",
  instances: "instanceId",
} as const;
export type SearchedKind = keyof typeof SEARCHED;

interface SearchAnswer {
  totalMatches?: number;
  results?: Record<string, string>[];
}

/** Something that the cache has, and where. */
export interface Found {
  account: string;
  region: string;
  name: string;
}

export type Clouddriver = ReturnType<typeof createClouddriver>;

export interface ServerGroup {
  name: string;
  capacity?: { min?: number; max?: number; desired?: number };
  instances?: { name?: string; id?: string }[];
  /** AWS's own description, in lower camel case. */
  asg?: { instances?: { instanceId?: string }[] };
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

function parseAddresses({ settings }: Context): { role: Role; url: string }[] {
  const configured = settings.clouddriver;
  if (!configured.value || configured.value.length === 0) {
    throw usageError("no-clouddriver", "no Clouddriver address is known", {
      hint: "add --clouddriver-url http://localhost:7002, export AEC_CLOUDDRIVER_URL, or set clouddriver in aec.yml",
    });
  }
  return configured.value.map((text) => {
    const [, role, url = text] = /^(caching|rw|ro)=(.*)$/.exec(text) ?? [];
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw usageError("bad-url", `"${text}" (${configured.origin}) is not the URL of a Clouddriver`, {
        hint: "write http://HOST:7002, or with a role: rw=http://spin-clouddriver-rw:7002 (caching, rw, ro)",
      });
    }
    return { role: (role as Role | undefined) ?? "any", url };
  });
}
