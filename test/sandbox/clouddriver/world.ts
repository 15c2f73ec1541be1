import { onTestFinished } from "vitest";
import { type AutoScalingGroup, createInventory } from "../../../src/sandbox/aws/inventory.ts";
import { type ClouddriverOptions, startClouddriver } from "../../../src/sandbox/clouddriver/server.ts";
import { createKeyspace } from "../../../src/sandbox/redis/keyspace.ts";
import { manualClock } from "./manual-clock.ts";

export const ACCOUNT = "default";
export const REGION = "us-east-1";
export const CLUSTER = `${ACCOUNT}/${REGION}/ClusterCachingAgent`;

export function group(name: string, desired = 1): AutoScalingGroup {
  return { name, min: 0, max: 9, desired, instanceIds: [], loadBalancers: [] };
}

/** A Clouddriver on a manual clock and the few things that every test does to it. */
export async function world(options: Partial<ClouddriverOptions> = {}) {
  const clock = manualClock();
  const inventory = createInventory(clock);
  const keyspace = createKeyspace(clock);
  const start = async (more: Partial<ClouddriverOptions> = {}) => {
    const clouddriver = await startClouddriver({
      clock,
      inventory,
      keyspace,
      accounts: [{ name: ACCOUNT, accountId: "012345678901", regions: [REGION] }],
      client: "clouddriver",
      ...options,
      ...more,
    });
    onTestFinished(() => clouddriver.close());
    return clouddriver;
  };
  const clouddriver = await start();

  const request = async (method: string, path: string, body?: unknown) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(clouddriver.url + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: text }),
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, text: answer, json: parse(answer) };
  };
  const get = (path: string) => request("GET", path);
  const post = (type: string, data: object, provider = "aws") =>
    request("POST", `/cache/${provider}/${type}`, data);

  return {
    clock,
    inventory,
    keyspace,
    clouddriver,
    start,
    request,
    get,
    post,
    postGroup: (name: string) =>
      post("ServerGroup", { serverGroupName: name, account: ACCOUNT, region: REGION }),
    postBalancer: (loadBalancerName: string, more: object = {}) =>
      post("LoadBalancer", { loadBalancerName, account: ACCOUNT, region: REGION, ...more }),
    pending: async () => (await get("/cache/aws/ServerGroup")).json as Record<string, unknown>[],
    read: async (name: string) => (await get(`/serverGroups/${ACCOUNT}/${REGION}/${name}`)).status,
    desired: (name: string) => clouddriver.cache.get("auto-scaling-group", ACCOUNT, REGION, name)?.desired,
    /** Runs one agent now, as `aec` does: by deleting its idle lock. */
    async pass(agent = CLUSTER) {
      const before = clouddriver.runs.filter((run) => run.agent === agent).length;
      keyspace.del(agent);
      await clock.advance(1500);
      if (clouddriver.runs.filter((run) => run.agent === agent).length !== before + 1)
        throw new Error(`${agent} did not run exactly once`);
    },
    runsOf: (agent: string) => clouddriver.runs.filter((run) => run.agent === agent),
    calls: () =>
      [...(inventory.calls().get("clouddriver")?.values() ?? [])].reduce((sum, count) => sum + count, 0),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
