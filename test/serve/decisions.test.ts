import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, type Serving, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const GROUP = "AWS::AutoScaling::AutoScalingGroup";

/** A site with a long interval, so that a run is one that was asked for; messages go straight into a queue. */
async function queued(options: { aecYml?: string; intervalMs?: number } = {}) {
  const site = await testSite({ intervalMs: options.intervalMs ?? 280_000 });
  const created = await site.aec(["sns", "create", "--protocol", "sqs", "--yes", "-o", "json"]);
  expect(created.exit, created.stderr).toBe(0);
  const home = temporaryDirectory();
  if (options.aecYml) writeFileSync(join(home, "aec.yml"), options.aecYml);
  const url = `${site.aws.url}/${site.aws.accountId}/aec-default-events`;
  const serving = await serve(site, ["--queue-url", url], {
    home,
    env: { AEC_SERVE_TOKEN: "token" },
  });
  const topicArn = `arn:aws:sns:${REGION}:${site.aws.accountId}:aec-default`;
  const publish = (message: object) => site.aws.sns.publish({ topicArn, message: JSON.stringify(message) });
  const settled = () => serving.log().filter(({ msg }) => msg === "message settled");
  return { site, serving, publish, settled };
}

const iso = (ms: number) => new Date(ms).toISOString();
const item = (name: string, more: { at: number; state?: number; desired?: number }) => ({
  messageType: "ConfigurationItemChangeNotification",
  configurationItem: {
    resourceType: GROUP,
    resourceName: name,
    awsAccountId: "012345678901",
    awsRegion: REGION,
    configurationItemStatus: "OK",
    configurationItemCaptureTime: iso(more.at),
    ...(more.state !== undefined && { configurationStateId: more.state }),
    configuration: { desiredCapacity: more.desired ?? 1 },
  },
});
const envelope = (site: TestSite, source: string, detailType: string, detail: object) => ({
  source,
  "detail-type": detailType,
  account: site.aws.accountId,
  region: REGION,
  time: iso(site.clock.now()),
  resources: [],
  detail,
});
const status = async ({ admin }: Serving, path: string) => {
  const answer = await fetch(new URL(path, admin), { headers: { authorization: "Bearer token" } });
  return (await answer.json()) as Record<string, unknown>;
};
const clusterRuns = (site: TestSite) =>
  site.clouddriver.runs.filter(({ agent }) => agent.endsWith("/ClusterCachingAgent")).length;

describe("decisions of serve", () => {
  test("an item older than what was applied is left alone, by its state id and by AWS's time", async () => {
    const { site, publish, settled } = await queued();
    site.group("app-v001", 3);
    const at = site.clock.now();
    publish(item("app-v001", { at, state: 20, desired: 3 }));
    await until(() => settled().length === 1, "the first item");
    const runs = clusterRuns(site);
    publish(item("app-v001", { at, state: 10, desired: 1 }));
    publish(item("app-v001", { at: at - 60_000, desired: 2 }));
    publish(item("app-v002", { at: at - 60_000, desired: 2 }));
    await until(() => settled().length === 4, "the others");
    const [first, ...others] = settled();
    expect(first).toMatchObject({ outcome: "applied" });
    expect(others.filter(({ reason }) => String(reason).startsWith("out of order"))).toHaveLength(2);
    expect(clusterRuns(site)).toBeGreaterThan(runs);
  });

  test("an item that AWS Config tells of long after a pass has seen it costs no run", async () => {
    const { site, publish, settled } = await queued();
    site.group("app-v001", 2);
    const changed = site.clock.now();
    await site.clock.sleep(15_000);
    const run = await site.aec(["agents", "run", `prod/${REGION}/ClusterCachingAgent`, "--yes"]);
    expect(run.exit, run.stderr).toBe(0);
    const runs = clusterRuns(site);
    publish(item("app-v001", { at: changed, desired: 2 }));
    await until(() => settled().length === 1, "the item");
    expect(settled()[0]).toMatchObject({
      outcome: "applied",
      reason: "nothing to do: a pass since then has seen it",
    });
    expect(clusterRuns(site)).toBe(runs);
    // What the cache contradicts was not seen, whatever the times say.
    publish(item("app-v001", { at: changed, desired: 5 }));
    await until(() => settled().length === 2, "the second item");
    expect(clusterRuns(site)).toBeGreaterThan(runs);
  });

  test("where AWS throttles an account is slowed down and polled less, until the alarm is over", async () => {
    const { site, serving, publish, settled } = await queued();
    const alarm = (value: string) =>
      envelope(site, "aws.cloudwatch", "CloudWatch Alarm State Change", {
        alarmName: "prod-throttled",
        state: { value },
        configuration: {
          metrics: [{ metricStat: { metric: { namespace: "AWS/EC2/API", name: "RequestLimitExceeded" } } }],
        },
      });
    publish(alarm("ALARM"));
    await until(() => settled().length === 1, "the alarm");
    expect(settled()[0]?.reason).toContain("prod slowed down");
    expect(await status(serving, "/status")).toMatchObject({ slow: [`prod/${REGION}`] });
    expect(await status(serving, "/polling")).toMatchObject({
      wishes: [{ agents: `prod/${REGION}/**`, intervalMs: 300_000, owner: "aec serve" }],
    });
    expect(await (await fetch(new URL("/metrics", serving.admin))).text()).toContain(
      `aec_throttled_total{account="prod",region="${REGION}"} 1`,
    );
    publish(alarm("OK"));
    await until(() => settled().length === 2, "its end");
    expect(await status(serving, "/status")).toMatchObject({ slow: [] });
    expect(await status(serving, "/polling")).toMatchObject({ wishes: [] });
  });

  test("an operator's own wish for the same agents outlives an alarm", async () => {
    const { site, serving, publish, settled } = await queued();
    const wish = { agents: `prod/${REGION}/**`, intervalMs: 600_000, forMs: null, owner: "me", reason: "x" };
    await fetch(new URL("/polling", serving.admin), {
      method: "PUT",
      headers: { authorization: "Bearer token" },
      body: JSON.stringify(wish),
    });
    for (const NewStateValue of ["ALARM", "OK"]) {
      publish({
        AlarmName: "aec-throttling",
        AWSAccountId: site.aws.accountId,
        AlarmArn: `arn:aws:cloudwatch:${REGION}:${site.aws.accountId}:alarm:throttling`,
        NewStateValue,
      });
      await until(() => settled().length === (NewStateValue === "ALARM" ? 1 : 2), NewStateValue);
    }
    expect(await status(serving, "/polling")).toMatchObject({
      wishes: [{ owner: "me", intervalMs: 600_000 }],
    });
  });

  test("a change of the role that Spinnaker assumes is warned of; IAM is told of in one Region for all", async () => {
    const aecYml = `version: 1
environments:
  default:
    accounts:
      - { name: prod, awsAccountId: "012345678901", assumeRole: role/spinnakerManaged, regions: [${REGION}] }
`;
    const { site, serving, publish, settled } = await queued({ aecYml });
    const call = (roleName: string) => ({
      ...envelope(site, "aws.iam", "AWS API Call via CloudTrail", {
        eventSource: "iam.amazonaws.com",
        eventName: "UpdateAssumeRolePolicy",
        awsRegion: "us-east-1",
        recipientAccountId: site.aws.accountId,
        requestParameters: { roleName },
      }),
    });
    publish(call("spinnakerManaged"));
    publish(call("other"));
    await until(() => settled().length === 2, "both calls");
    expect(settled()[0]?.work).toMatchObject([{ type: "iam-role", account: "prod", region: "global" }]);
    const warned = serving.log().filter(({ msg }) => msg === "a role of Spinnaker's");
    expect(warned).toHaveLength(1);
    expect(warned[0]?.problem).toContain("spinnakerManaged for prod");
  });
});
