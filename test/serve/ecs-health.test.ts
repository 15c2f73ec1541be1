import { expect, test } from "vitest";
import { REGION, serve, testSite, until } from "../helpers/site.ts";

const PLACE = `prod-ecs/${REGION}`;
const ECS = { name: "prod-ecs", accountId: "012345678901", regions: [REGION], provider: "ecs" as const };

/** A service whose events have proven to be fast, so that its agents are held. */
async function ecsSite() {
  const site = await testSite({ accounts: [ECS] });
  const put = (kind: "ecs-service" | "ecs-target-health", state: string) =>
    site.aws.inventory.put(kind, REGION, { id: "shop", name: "shop", state });
  put("ecs-service", "1");
  put("ecs-target-health", "healthy");
  const serving = await serve(site, ["--mode", "events"]);
  const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes", "-o", "json"]);
  const { topicArn } = created.json<{ topicArn: string }>();
  const told = (detailType: string, detail: object) =>
    site.aws.sns.publish({
      topicArn,
      message: JSON.stringify({
        source: "aws.ecs",
        "detail-type": detailType,
        account: site.aws.accountId,
        region: REGION,
        time: new Date(site.clock.now()).toISOString(),
        resources: [`arn:aws:ecs:${REGION}:${site.aws.accountId}:service/main/shop`],
        detail,
      }),
    });
  const deployed = () => told("ECS Deployment State Change", { eventName: "SERVICE_DEPLOYMENT_IN_PROGRESS" });
  const settled = () => serving.log().filter(({ type }) => type === "Notification").length;
  for (let count = 0; count < 5; count += 1) deployed();
  await until(() => settled() === 5, "the events");
  const isHeld = (agent: string) => site.redis.keyspace.get(`${PLACE}/${agent}`)?.startsWith("aec:") ?? false;
  await until(() => isHeld("ServiceCachingAgent") && isHeld("TargetHealthCachingAgent"), "the holds");
  const health = async () => {
    const answer = await fetch(`${site.clouddriver.url}/serverGroups/${PLACE}/shop`);
    const group = (await answer.json()) as { instances: { health: { state: string }[] }[] };
    return group.instances.flatMap((task) => task.health.map(({ state }) => state)).join();
  };
  const runsOf = (name: string) =>
    site.clouddriver.runs.filter(({ agent }) => agent === `${PLACE}/${name}`).length;
  return { site, put, deployed, health, runsOf, isHeld };
}

test("a service that is deployed: target health is looked at, then that of its tasks, until all of it is healthy", async () => {
  const { site, put, deployed, health, runsOf, isHeld } = await ecsSite();
  // What no event tells of, and what costs AWS nothing.
  const own = [
    "EcsClusterCachingAgent",
    "ContainerInstanceCachingAgent",
    "ScalableTargetsCachingAgent",
    "TaskHealthCachingAgent",
  ];
  expect(own.filter(isHeld)).toEqual([]);
  await until(async () => (await health()) === "Up,Up", "the first health");

  put("ecs-target-health", "initial");
  deployed();
  await until(async () => (await health()) === "Unknown,Starting", "the new task in the cache");
  await site.clock.sleep(40_000);
  put("ecs-target-health", "healthy");
  const healedAt = site.clock.now();
  await until(async () => (await health()) === "Up,Up", "its health in the cache");
  expect(site.clock.now() - healedAt).toBeLessThan(40_000);

  await site.clock.sleep(35_000);
  const looks = runsOf("TargetHealthCachingAgent");
  await site.clock.sleep(40_000);
  expect(runsOf("TargetHealthCachingAgent")).toBe(looks);

  // Asked for on demand, without an event.
  put("ecs-target-health", "initial");
  await fetch(`${site.clouddriver.url}/cache/ecs/ServerGroup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ account: "prod-ecs", region: REGION, serverGroupName: "shop" }),
  });
  await until(async () => (await health()) === "Unknown,Starting", "its health after the refresh");
});
