import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/clock.ts";
import type { AgentExecution } from "../../src/clouddriver/executions.ts";
import type { ResourceEvent } from "../../src/events/event.ts";
import type { WorkItem } from "../../src/refresh/items.ts";
import { createNewest } from "../../src/serve/receiving/newest.ts";
import { createApply } from "../../src/serve/running/apply.ts";
import { createBalancers } from "../../src/serve/running/balancers.ts";
import { createPace } from "../../src/serve/running/pace.ts";
import { manualClock } from "../helpers/manual-clock.ts";

const PLACE = "prod-ecs/us-east-1";
const { signal } = new AbortController();

const event = (more: Partial<ResourceEvent>): ResourceEvent => ({
  source: "service",
  resourceType: "AWS::ECS::Service",
  type: "ecs-service",
  awsAccountId: "012345678901",
  region: "us-east-1",
  name: "web",
  at: 0,
  facts: { gone: undefined },
  ...more,
});

/** What `apply` does with a Clouddriver that answers so, and which agents it ran. */
function applied(clouddriver: (clock: Clock) => object) {
  const clock = manualClock();
  const refresher = { clouddriver: clouddriver(clock), clock, signal } as never;
  const ran: string[] = [];
  const runs = async (agent: string) => {
    ran.push(agent);
    return { outcome: "ran", startedMs: 0, durationMs: 0 } as const;
  };
  const pace = createPace(clock, signal);
  const balancers = createBalancers(refresher, { debounceMs: 0, pace });
  const apply = createApply("agents", refresher, { debounceMs: 0, pace, runs, balancers });
  return { apply, clock, ran };
}

describe("a record of an on-demand refresh that no pass has dropped", () => {
  const AT = Date.UTC(2026, 10, 20, 11, 59, 59);
  const group = {
    provider: "aws",
    type: "server-group",
    account: "prod",
    region: "us-east-1",
    name: "web-v001",
  };

  test.each([
    ["is younger than the event", { serverGroup: "web-v001", cacheTime: AT + 1_500 }, 1],
    ["is older", { serverGroup: "web-v001", cacheTime: AT - 500 }, 2],
    [
      "is of the same second, which is all that EventBridge tells",
      { serverGroup: "web-v001", cacheTime: AT + 900 },
      2,
    ],
    ["is of another group", { serverGroup: "web-v002", cacheTime: AT - 500 }, 1],
    ["is of another Region", { serverGroup: "web-v001", region: "eu-west-1", cacheTime: AT - 500 }, 1],
  ])("%s", async (_, { cacheTime, ...details }, runs) => {
    const { apply, ran } = applied((clock) => ({
      executions: async () => ({ byAgent: new Map(), serverTime: clock.now() }),
      pending: async () => [{ details: { account: "prod", region: "us-east-1", ...details }, cacheTime }],
      serverGroup: async () => ({ name: "web-v001" }),
    }));
    const told = event({
      ...group,
      resourceType: "AWS::AutoScaling::AutoScalingGroup",
      at: AT,
    } as Partial<ResourceEvent>);
    expect(await apply(told, group as WorkItem, () => undefined)).toMatchObject({ outcome: "applied" });
    expect(ran).toEqual(Array.from({ length: runs }, () => "prod/us-east-1/ClusterCachingAgent"));
  });
});

describe("a pass that has seen it", () => {
  /** Starts of the agents of ECS services, in seconds after the change; each pass lasts a second. */
  async function runsFor(starts: Record<string, number>) {
    const { apply, clock, ran } = applied((at) => ({ executions: async () => passes(at.now()) }));
    const at = clock.now() - 60_000;
    function passes(serverTime: number) {
      const byAgent = new Map(
        Object.entries(starts).map(([agent, after]): [string, AgentExecution] => {
          const times = { lastExecutionStartMs: at + after * 1_000, lastExecutionDurationMs: 1_000 };
          return [`${PLACE}/${agent}`, { id: `${PLACE}/${agent}`, provider: "ecs", ...times }];
        }),
      );
      return { byAgent, serverTime };
    }
    const item = {
      provider: "ecs",
      type: "ecs-service",
      account: "prod-ecs",
      region: "us-east-1",
      name: "web",
    } as const;
    await apply(event({ at }), item, () => undefined);
    return ran.length;
  }
  const second = {
    ServiceCachingAgent: 20,
    TaskCachingAgent: 20,
    ContainerInstanceCachingAgent: 20,
    ScalableTargetsCachingAgent: 20,
  };
  const third = { TaskDefinitionCachingAgent: 30, TaskHealthCachingAgent: 30 };

  test("needs each round to have begun after the one that it reads", async () => {
    expect(await runsFor({ EcsClusterCachingAgent: 12, ...second, ...third })).toBe(0);
    expect(await runsFor({ EcsClusterCachingAgent: 40, ...second, ...third })).toBe(7);
    expect(await runsFor({ EcsClusterCachingAgent: 5, ...second, ...third })).toBe(7);
    expect(await runsFor({ ...second, ...third })).toBe(7);
  });
});

describe("the newest event of a resource", () => {
  const group = (more: Partial<ResourceEvent>) =>
    event({
      type: "server-group",
      name: "app-v001",
      resourceType: "AWS::AutoScaling::AutoScalingGroup",
      ...more,
    });

  test("is told by AWS's times; by the items' numbers within one resource where these are equal", () => {
    const newest = createNewest();
    newest.applied(group({ at: 1_000, order: { item: "group", id: 50 } }));
    expect(newest.outdated(group({ at: 1_000, order: { item: "group", id: 49 } }))).toContain("50");
    expect(newest.outdated(group({ at: 999 }))).toContain("newer");
    expect(newest.outdated(group({ at: 1_000, order: { item: "policy", id: 2 } }))).toBeUndefined();
    expect(newest.outdated(group({ at: 2_000, order: { item: "group", id: 1 } }))).toBeUndefined();
    expect(newest.outdated(group({ at: 2_000 }))).toBeUndefined();
    expect(newest.outdated(group({ at: 0 }))).toBeUndefined();
  });
});
