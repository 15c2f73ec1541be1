import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { autoScalingGroup } from "../../src/sandbox/aws/inventory.ts";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const BALANCERS = `prod/${REGION}/AmazonApplicationLoadBalancerCachingAgent`;
const CLASSIC_STATE = `prod/${REGION}/AmazonLoadBalancerInstanceStateCachingAgent`;
const ACCOUNT = "012345678901";
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:aec-default`;
const BALANCER_COUNT = 6;

const runsOf = (site: TestSite, agent: string) =>
  site.clouddriver.runs.filter((run) => run.agent === agent).length;
const heldBy = (site: TestSite, agent: string) => site.redis.keyspace.get(agent)?.startsWith("aec:") ?? false;
const healthCalls = (site: TestSite) =>
  site.aws.inventory.calls().get("clouddriver")?.get("elasticloadbalancing:DescribeTargetHealth") ?? 0;

/** Six balancers with a target group each; what is told of groups and balancers has proven to be fast, and is held. */
async function balancedSite() {
  const site = await testSite();
  const balancer = (index: number, unhealthy: readonly string[] = []) =>
    site.aws.inventory.put("load-balancer", REGION, {
      name: `alb-${index}`,
      type: "application",
      vpcId: "vpc-1",
      scheme: "internal",
      targetGroups: [`tg-${index}`],
      unhealthy,
    });
  for (let index = 0; index < BALANCER_COUNT; index += 1) balancer(index);
  const home = temporaryDirectory();
  const floors = '[{ agents: "**/*LoadBalancer*", floor: 15m }]';
  writeFileSync(
    join(home, "aec.yml"),
    `version: 1\nenvironments:\n  default:\n    polling: { mode: events, floors: ${floors} }\n`,
  );
  const serving = await serve(site, [], { home, env: { AEC_SERVE_TOKEN: "token" } });
  const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"]);
  expect(created.exit, created.stderr).toBe(0);
  const publish = (source: string, detailType: string, detail: object) =>
    site.aws.sns.publish({
      topicArn: TOPIC,
      message: JSON.stringify({
        source,
        "detail-type": detailType,
        account: ACCOUNT,
        region: REGION,
        time: new Date(site.clock.now()).toISOString(),
        resources: [],
        detail,
      }),
    });
  const called = (eventName: string, requestParameters: object) =>
    publish("aws.elasticloadbalancing", "AWS API Call via CloudTrail", {
      eventSource: "elasticloadbalancing.amazonaws.com",
      eventName,
      requestParameters,
    });
  const arn = `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}`;
  const launched = (AutoScalingGroupName: string) =>
    publish("aws.autoscaling", "EC2 Instance Launch Successful", { AutoScalingGroupName });
  const group = (name: string, desired: number, more: object = {}) => {
    const made = { ...autoScalingGroup(name, desired), ...more };
    site.aws.inventory.put("auto-scaling-group", REGION, made);
    return made;
  };
  group("proof-v001", 0);
  await until(() => site.clouddriver.cache.all("load-balancer").length === BALANCER_COUNT, "the balancers");
  const seen = () => serving.log().filter(({ msg }) => msg === "message settled").length;
  for (let index = 0; index < 5; index += 1) {
    called("ModifyTargetGroup", { targetGroupArn: `${arn}:targetgroup/tg-${index}/0` });
    called("ModifyListener", { listenerArn: `${arn}:listener/app/alb-${index}/0/0` });
    launched("proof-v001");
    await until(() => seen() >= 3 * (index + 1), "the events");
  }
  await until(() => heldBy(site, BALANCERS) && heldBy(site, CLASSIC_STATE), "the holds");
  await site.clock.sleep(40_000);
  return { site, serving, balancer, group, launched, called, arn };
}

describe("health of what is deployed, while its agents are left to the floor", () => {
  test("its own balancer is looked at, at the stock pace, until it is healthy; the others are not", async () => {
    const { site, balancer, group, launched } = await balancedSite();
    const { instanceIds } = group("web-v001", 2, { targetGroups: ["tg-3"] });
    balancer(3, instanceIds.slice(0, 1));
    const [before, runs] = [healthCalls(site), runsOf(site, BALANCERS)];
    launched("web-v001");
    const states = async () => {
      const answer = await fetch(`${site.clouddriver.url}/serverGroups/prod/${REGION}/web-v001`);
      const { instances = [] } = (await answer.json()) as { instances?: { healthState: string }[] };
      return instances.map(({ healthState }) => healthState).toSorted();
    };
    await until(async () => (await states()).join() === "Down,Up", "the sick instance in the cache");
    await site.clock.sleep(40_000);
    balancer(3);
    const healedAt = site.clock.now();
    await until(async () => (await states()).join() === "Up,Up", "its recovery in the cache");
    expect(site.clock.now() - healedAt).toBeLessThan(40_000);
    await site.clock.sleep(45_000);
    const settled = healthCalls(site);
    await site.clock.sleep(70_000);
    expect(healthCalls(site)).toBe(settled);
    expect(settled - before).toBeGreaterThanOrEqual(3);
    expect(settled - before).toBeLessThanOrEqual(7);
    expect(runsOf(site, BALANCERS)).toBe(runs);
  });

  test("a group behind a classic balancer: the agent of its instances' state runs", async () => {
    const { site, group, launched } = await balancedSite();
    group("old-v001", 1, { loadBalancers: ["classic"] });
    const before = runsOf(site, CLASSIC_STATE);
    launched("old-v001");
    await until(() => runsOf(site, CLASSIC_STATE) > before, "the run");
  });

  test("a balancer that changes is read alone; one that is gone, and one that nobody knows, by the agent", async () => {
    const { site, called, arn } = await balancedSite();
    const [before, runs] = [healthCalls(site), runsOf(site, BALANCERS)];
    called("ModifyRule", { ruleArn: `${arn}:listener-rule/app/alb-2/0/0/0` });
    await until(() => healthCalls(site) > before, "the call");
    await site.clock.sleep(5_000);
    expect([healthCalls(site) - before, runsOf(site, BALANCERS)]).toEqual([1, runs]);
    site.aws.inventory.remove("load-balancer", REGION, "alb-2");
    called("DeleteLoadBalancer", { loadBalancerArn: `${arn}:loadbalancer/app/alb-2/0` });
    await until(
      () => site.clouddriver.cache.all("load-balancer").length === BALANCER_COUNT - 1,
      "the eviction",
    );
    const after = runsOf(site, BALANCERS);
    called("CreateListener", { loadBalancerArn: `${arn}:loadbalancer/app/alb-9/0` });
    await until(() => runsOf(site, BALANCERS) > after, "the run");
  });
});
