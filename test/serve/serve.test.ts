import { describe, expect, test } from "vitest";
import { REGION, serve, testSite, until } from "../helpers/site.ts";
import { subscribedReceiver } from "../helpers/sns.ts";

const cached = (site: Awaited<ReturnType<typeof testSite>>, name: string) =>
  site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, name);

const notifications = ({ aws }: Awaited<ReturnType<typeof testSite>>) =>
  aws.sns.deliveries.filter(({ type }) => type === "Notification");

/** A site whose Config publishes to a topic that `aec sns create` made and `aec serve` confirmed. */
async function connected(argv: readonly string[] = [], env: Record<string, string> = {}) {
  const site = await testSite();
  const serving = await serve(site, argv, { env });
  const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes", "-o", "json"]);
  expect(created.exit, created.stderr).toBe(0);
  const { topicArn } = created.json<{ topicArn: string }>();
  site.aws.config.enable(REGION, topicArn);
  return { site, serving, topicArn };
}

describe("serve", () => {
  test("a change in AWS is in the cache at once: created, resized, deleted", async () => {
    const { site, serving } = await connected();
    expect(serving.mode).toBe("agents");
    const started = site.clock.now();
    site.group("app-v001", 2);
    await until(() => cached(site, "app-v001") !== undefined, "app-v001 in the cache");
    site.group("app-v001", 3);
    await until(() => cached(site, "app-v001")?.desired === 3, "the new capacity");
    site.aws.inventory.remove("auto-scaling-group", REGION, "app-v001");
    await until(() => cached(site, "app-v001") === undefined, "its eviction");
    expect(site.clock.now() - started).toBeLessThan(31_000);
    await until(
      () => serving.log().filter(({ outcome }) => outcome === "applied").length === 3,
      "three applied messages",
    );
  });

  test("security groups too, through their own agent", async () => {
    const { site } = await connected();
    const group = { id: "sg-0123456789abcdef0", name: "web", vpcId: "vpc-1", rules: ["10.0.0.0/8:443"] };
    site.aws.inventory.put("security-group", REGION, group);
    await until(
      () => site.clouddriver.cache.get("security-group", "prod", REGION, group.id) !== undefined,
      "the security group",
    );
  });

  test("a burst for one agent is at most two runs", async () => {
    const { site, serving } = await connected();
    await site.clock.sleep(3_000);
    const before = site.clouddriver.runs.length;
    for (let index = 0; index < 20; index += 1) site.group(`burst-v${index}`, 1);
    await until(() => cached(site, "burst-v19") !== undefined, "all of the burst");
    await until(
      () => serving.log().filter(({ outcome }) => outcome === "applied").length === 20,
      "all answers",
    );
    const runs = site.clouddriver.runs
      .slice(before)
      .filter(({ agent }) => agent.endsWith("/ClusterCachingAgent"));
    // One of the agent's own passes may fall into the same seconds.
    expect(runs.length).toBeLessThanOrEqual(3);
  });

  test("services' own events: an instance, an ECS service by its agents in order, a stack that no agent caches", async () => {
    const accounts = [
      { name: "prod-ecs", accountId: "012345678901", regions: [REGION], provider: "ecs" as const },
    ];
    const site = await testSite({ accounts, intervalMs: 280_000 });
    const serving = await serve(site);
    const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes", "-o", "json"]);
    const { topicArn } = created.json<{ topicArn: string }>();
    await until(() => site.clouddriver.runs.length >= 25, "the first pass of all agents");
    const publish = (source: string, detailType: string, detail: object, resources: string[] = []) => {
      const place = { account: site.aws.accountId, region: REGION, time: new Date().toISOString() };
      const message = JSON.stringify({ source, "detail-type": detailType, ...place, resources, detail });
      site.aws.sns.publish({ topicArn, message });
    };
    site.group("app-v001", 1);
    const id = site.aws.inventory.get("auto-scaling-group", REGION, "app-v001")?.instanceIds[0] ?? "";
    publish("aws.ec2", "EC2 Instance State-change Notification", { "instance-id": id, state: "running" });
    await until(
      () => site.clouddriver.cache.get("instance", "prod", REGION, id) !== undefined,
      "the instance",
    );

    site.aws.inventory.put("ecs-service", REGION, { id: "shop", name: "shop", state: "1" });
    const before = site.clouddriver.runs.length;
    const arn = `arn:aws:ecs:${REGION}:${site.aws.accountId}:service/main/shop`;
    publish("aws.ecs", "ECS Deployment State Change", { eventName: "SERVICE_DEPLOYMENT_COMPLETED" }, [arn]);
    const service = () => site.clouddriver.cache.get("ecs-service", "prod-ecs", REGION, "shop");
    await until(() => service() !== undefined, "the service");
    const applied = () => serving.log().filter(({ outcome }) => outcome === "applied");
    await until(() => applied().length === 2, "both answers");
    const ran = site.clouddriver.runs.slice(before).map(({ agent }) => agent.split("/")[2] ?? "");
    expect(ran.indexOf("EcsClusterCachingAgent")).toBeLessThan(ran.indexOf("ServiceCachingAgent"));

    publish("aws.cloudformation", "CloudFormation Stack Status Change", {
      "stack-id": "stack/shop/1",
      "status-details": { status: "CREATE_COMPLETE" },
    });
    await until(() => applied().length === 3, "the third answer");
    expect(applied()[2]?.reason).toContain("has no agent");
  });

  test("what asks for nothing is answered 200 with a logged reason", async () => {
    const { site, serving, topicArn } = await connected();
    const publish = (message: unknown) =>
      site.aws.sns.publish({ topicArn, message: JSON.stringify(message) });
    publish("hello");
    publish({ messageType: "ComplianceChangeNotification" });
    publish({ source: "aws.health" });
    const item = { resourceType: "AWS::AutoScaling::AutoScalingGroup", resourceName: "a", awsRegion: REGION };
    const change = (more: object) => ({
      messageType: "ConfigurationItemChangeNotification",
      configurationItem: { ...item, configurationItemStatus: "OK", ...more },
    });
    publish(change({ awsAccountId: "999999999999" }));
    publish(change({ awsAccountId: site.aws.accountId, awsRegion: "eu-west-3" }));
    publish(change({ awsAccountId: site.aws.accountId, resourceType: "AWS::EC2::Volume" }));
    const ignored = () => serving.log().filter(({ outcome }) => outcome === "ignored");
    await until(() => ignored().length === 6, "six ignored messages");
    const reasons = ignored().map(({ reason }) => reason);
    expect(reasons).toEqual(
      expect.arrayContaining([
        "the message is no JSON object",
        expect.stringContaining("ComplianceChangeNotification"),
        expect.stringContaining("aws.health"),
        expect.stringContaining("999999999999"),
        expect.stringContaining("eu-west-3"),
        expect.stringContaining("AWS::EC2::Volume"),
      ]),
    );
    const statuses = () => notifications(site).map(({ status }) => status);
    await until(() => statuses().length === 6, "six answers");
    expect(statuses()).toEqual(Array(6).fill(200));
  });

  test("Clouddriver or its lock store gone: 503, and the redelivery is applied", async () => {
    const { site, serving } = await connected();
    await site.redis.drop();
    site.group("app-v002", 1);
    await until(() => serving.log().some(({ outcome }) => outcome === "failed"), "a failed message");
    await site.redis.resume();
    await until(
      () =>
        serving
          .log()
          .some(({ outcome, work }) => outcome === "applied" && JSON.stringify(work).includes("app-v002")),
      "the redelivered message",
    );
    await until(() => notifications(site).at(-1)?.status === 200, "its acknowledgement");
    const attempts = notifications(site);
    expect(attempts[0]?.status).toBe(503);
    expect(new Set(attempts.map(({ messageId }) => messageId)).size).toBe(1);
  });

  test("a duplicate is answered 200 and does nothing", async () => {
    const { site, serving, topicArn } = await connected();
    const spy = await subscribedReceiver(site.aws, topicArn);
    site.group("app-v003", 1);
    await until(() => serving.log().some(({ outcome }) => outcome === "applied"), "the first delivery");
    await until(() => spy.notifications().length === 1, "its copy");
    const [body] = spy.notifications();
    const runs = site.clouddriver.runs.filter(({ agent }) => agent.endsWith("ClusterCachingAgent")).length;
    const again = await fetch(serving.notify, { method: "POST", body: body ?? "" });
    expect([again.status, await again.text()]).toEqual([200, "duplicate: applied\n"]);
    expect(site.clouddriver.runs.filter(({ agent }) => agent.endsWith("ClusterCachingAgent")).length).toBe(
      runs,
    );
  });

  test("careful, without a lock store: waits for the agent's own pass", async () => {
    const { site, serving } = await connected([], { AEC_LOCK_STORE: "" });
    expect(serving.mode).toBe("careful");
    site.group("app-v004", 1);
    await until(() => cached(site, "app-v004") !== undefined, "the group");
    site.group("app-v004", 4);
    await until(() => cached(site, "app-v004")?.desired === 4, "the new capacity");
  });

  test("on-demand: every event is one call", async () => {
    const { site } = await connected(["--mode", "on-demand"], { AEC_LOCK_STORE: "" });
    site.group("app-v005", 1);
    await until(() => cached(site, "app-v005") !== undefined, "the group");
  });

  test("health and readiness; status and fates behind the token", async () => {
    const { site, serving } = await connected([], { AEC_SERVE_TOKEN: "s3cret" });
    const get = async (path: string, token?: string) => {
      const response = await fetch(serving.admin + path, {
        headers: token ? { authorization: `Bearer ${token}` } : {},
      });
      return [response.status, await response.json()] as const;
    };
    expect(await get("/healthz")).toEqual([200, { status: "ok" }]);
    expect(await get("/readyz")).toEqual([200, { ready: true, missing: [] }]);
    expect((await get("/status"))[0]).toBe(401);
    expect((await get("/status", "s3cret"))[1]).toMatchObject({ mode: "agents", open: 0 });
    site.group("app-v006", 1);
    await until(() => serving.log().some(({ outcome }) => outcome === "applied"), "the event");
    const id = serving.log().find(({ outcome }) => outcome === "applied")?.id;
    expect((await get(`/events/${id}`, "s3cret"))[1]).toMatchObject({
      outcome: "applied",
      work: [{ name: "app-v006" }],
    });
    await site.redis.drop();
    expect((await get("/readyz"))[0]).toBe(503);
    await site.redis.resume();
  });

  test("starts without Clouddriver, and is not ready until it is there", async () => {
    const site = await testSite();
    await site.clouddriver.close();
    const serving = await serve(site);
    expect((await fetch(`${serving.admin}/readyz`)).status).toBe(503);
    expect(serving.log()).toContainEqual(
      expect.objectContaining({ problem: expect.stringContaining("cannot be reached") }),
    );
  });

  test("stops on a signal with exit 0", async () => {
    const { serving } = await connected();
    expect(await serving.stop()).toBe(0);
    await expect(fetch(serving.notify)).rejects.toThrow();
  });
});

describe("refuses to start", () => {
  test.each([
    [["--topic-arn", "arn:aws:sqs:us-east-1:012345678901:x"], 2, /not the ARN of a topic/],
    [["--listen", "nonsense"], 2, /not HOST:PORT/],
    [["--tls-cert", "a.pem"], 2, /go together/],
    [["--debounce", "fast"], 2, /not a duration/],
  ])("%j", async (argv, exit, reason) => {
    const site = await testSite();
    const outcome = await site.aec(["serve", ...argv]);
    expect(outcome.exit).toBe(exit);
    expect(outcome.stderr).toMatch(reason);
  });

  test("on a port in use", async () => {
    const { site, serving } = await connected();
    const port = new URL(serving.notify).port;
    const { exit, stderr } = await site.aec(["serve", "--listen", `127.0.0.1:${port}`]);
    expect(exit).toBe(1);
    expect(stderr).toContain("choose another --listen");
  });

  test("in mode agents without a lock store", async () => {
    const site = await testSite();
    const { exit, stderr } = await site.aec(["serve", "--mode", "agents"], { env: { AEC_LOCK_STORE: "" } });
    expect(exit).toBe(2);
    expect(stderr).toContain("--lock-store");
  });
});
