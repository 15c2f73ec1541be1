import { readAccounts } from "../clouddriver/accounts.ts";
import { applicationOf } from "../clouddriver/application.ts";
import type {
  Clouddriver,
  LoadBalancer,
  OnDemandAnswer,
  PendingRefresh,
  SecurityGroupSummary,
  ServerGroup,
} from "../clouddriver/client.ts";
import { type AgentExecution, newestExecutions, sharedExecutions } from "../clouddriver/executions.ts";
import { createSearch } from "../clouddriver/search.ts";
import type { Context } from "../context.ts";
import { failure } from "../errors.ts";
import type { Answer } from "../http.ts";
import { connectGate } from "./connect.ts";
import { cacheProxyPath } from "./proxy.ts";
import { refreshByTask } from "./task.ts";

const TASK_TIMEOUT_MS = 120_000;

/**
 * Clouddriver as Gate shows it: the cache by Gate's own routes, on-demand refreshes by a proxy of Gate's (`proxies` in
 * gate.yml) or by tasks of Orca's. Throws where Gate, its login or its proxy is not there.
 */
export async function createGateClouddriver(
  context: Context,
  via: "gate-proxy" | "gate-task",
): Promise<Clouddriver> {
  const { gate, asked, reads } = await connectGate(context);
  const proxy = via === "gate-proxy" ? await cacheProxyPath(reads) : undefined;
  const { clock, signal } = context.world;
  const segment = encodeURIComponent;

  return {
    // Gate refuses short questions unless told otherwise.
    ...createSearch(reads, { allowShortQuery: "true" }),
    accounts: () => readAccounts(reads),
    executions: sharedExecutions(context.world, async () => {
      if (proxy === undefined)
        throw failure("no-introspection", "Gate does not show what Clouddriver's agents do");
      return newestExecutions([reads.list<AgentExecution>(`${proxy}/introspection`)]);
    }),
    async refresh(kind, body): Promise<Answer<OnDemandAnswer>> {
      if (proxy !== undefined) return gate<OnDemandAnswer>(`${proxy}/${kind}`, body);
      const [provider = "", type] = kind.split("/");
      if (type !== "ServerGroup")
        throw failure("not-by-task", `Orca has no task that only refreshes a ${type}: use --via gate-proxy`);
      const { account, region, serverGroupName } = body as Record<string, string>;
      const group = { account: account ?? "", region: region ?? "", name: serverGroupName ?? "", provider };
      const watcher = { clock, signal, timeoutMs: context.timeout(TASK_TIMEOUT_MS), report: context.out.say };
      const taken = await refreshByTask(asked, group, watcher);
      const cachedIdentifiersByType: Record<string, string[]> = taken ? { serverGroups: [group.name] } : {};
      return { status: taken ? 202 : 200, body: { cachedIdentifiersByType }, serverTime: undefined };
    },
    pending: async (kind) =>
      proxy === undefined ? [] : (await reads.list<PendingRefresh>(`${proxy}/${kind}`)).body,
    serverGroup(account, region, name) {
      const application = segment(applicationOf(name));
      return reads.one<ServerGroup>(
        `/applications/${application}/serverGroups/${segment(account)}/${segment(region)}/${segment(name)}`,
      );
    },
    async securityGroups(account, region) {
      const path = `/securityGroups/${segment(account)}?provider=aws&region=${segment(region)}`;
      return (await reads.list<SecurityGroupSummary>(path)).body;
    },
    securityGroup(account, region, { name, vpcId }) {
      const vpc = vpcId ? `&vpcId=${segment(vpcId)}` : "";
      return reads.one<object>(
        `/securityGroups/${segment(account)}/${segment(region)}/${segment(name)}?provider=aws${vpc}`,
      );
    },
    async loadBalancers(account, region, name) {
      const path = `/loadBalancers/${segment(account)}/${segment(region)}/${segment(name)}?provider=aws`;
      return (await reads.one<LoadBalancer[]>(path)) ?? [];
    },
    one: (path) => reads.one<object>(path),
    list: async <T>(path: string): Promise<T[]> => (await reads.list<T>(path)).body,
  };
}
