import { describe } from "vitest";
import { autoScalingGroup, awsId } from "../../src/sandbox/aws/inventory.ts";
import { startSite } from "../../src/sandbox/site.ts";
import { fairClock } from "../helpers/fair-clock.ts";
import { REGION, SPEED, until } from "../helpers/site.ts";
import { engineContract } from "./engine.ts";

describe("the embedded Clouddriver", () => {
  engineContract(async () => {
    const clock = fairClock(SPEED);
    const site = await startSite({ clock, features: ["cloud-formation"] });
    await until(() => site.clouddriver.runs.length >= 16, "the first pass of all agents");
    const { inventory } = site.aws;
    const groupOf = (id: string) => {
      const found = inventory.get("security-group", REGION, id);
      if (!found) throw new Error(`no security group ${id}`);
      return found;
    };
    return {
      account: site.account,
      region: REGION,
      clouddriverUrl: site.clouddriver.url,
      redisUrl: site.redis.url,
      awsEnv: site.env,
      clock,
      group: async (name, desired) =>
        inventory.put("auto-scaling-group", REGION, autoScalingGroup(name, desired)),
      removeGroup: async (name) => inventory.remove("auto-scaling-group", REGION, name),
      securityGroup: async (name) => {
        const id = awsId("sg");
        inventory.put("security-group", REGION, { id, name, vpcId: "vpc-1", rules: [] });
        return id;
      },
      allow: async (id, cidr) =>
        inventory.put("security-group", REGION, { ...groupOf(id), rules: [`${cidr}:443`] }),
      removeSecurityGroup: async (id) => inventory.remove("security-group", REGION, id),
      balancer: async (name, type) =>
        inventory.put("load-balancer", REGION, { name, type, vpcId: "vpc-1", scheme: "internal" }),
      changeBalancer: async (name) => {
        const balancer = inventory.get("load-balancer", REGION, name);
        if (balancer) inventory.put("load-balancer", REGION, { ...balancer, scheme: "internet-facing" });
      },
      removeBalancer: async (name) => inventory.remove("load-balancer", REGION, name),
      plain: async (kind, name) => {
        inventory.put(kind, REGION, { id: name, name, state: "there" });
        return name;
      },
      removePlain: async (kind, id) => inventory.remove(kind, REGION, id),
      failClusters: (on) => site.clouddriver.failAws(on ? /ClusterCachingAgent/ : undefined),
      stop: site.close,
    };
  });
});
