import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisLocks } from "../../src/agents/stores/redis.ts";
import { main } from "../../src/main.ts";
import { aec, testWorld } from "../helpers/aec.ts";
import { until } from "../helpers/site.ts";
import { type LocalStack, startLocalStack } from "./localstack.ts";
import { MOTO_ACCOUNT, REGION, type RealEngine, startRealEngine } from "./real-engine.ts";

const TOPIC_ACCOUNT = "012345678901";
const TOPIC = `arn:aws:sns:${REGION}:${TOPIC_ACCOUNT}:aec-default`;

/** LocalStack signs and delivers, `aec serve` confirms, verifies and applies, the real engine caches. */
describe("the whole chain on real parts", () => {
  let engine: RealEngine;
  let localStack: LocalStack;
  let env: Record<string, string>;
  const stopper = new AbortController();
  let serving: Promise<number>;
  let log: () => string;
  let counter = 0;

  beforeAll(async () => {
    [engine, localStack] = await Promise.all([startRealEngine(), startLocalStack()]);
    env = {
      ...localStack.env(TOPIC_ACCOUNT, REGION),
      AEC_CLOUDDRIVER_URL: engine.clouddriverUrl,
      AEC_LOCK_STORE: engine.redisUrl,
      AEC_SERVE_TOKEN: "token",
    };
    const { world, written } = testWorld({ env, signal: stopper.signal });
    log = () => written.stderr;
    serving = main(
      ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--topic-arn", TOPIC],
      world,
    );
    await until(() => written.stdout.includes("\n"), "serve to be ready");
    const { notify, admin } = JSON.parse(written.stdout) as { notify: string; admin: string };
    env.AEC_SERVE_URL = admin;
    const created = await aec(["sns", "create", "--endpoint", notify, "--yes"], { env });
    expect(created.exit, created.stderr).toBe(0);
  });
  afterAll(async () => {
    stopper.abort();
    await serving;
    await Promise.all([engine?.stop(), localStack?.stop()]);
  });

  /** What AWS Config would say; no emulator sends it. */
  const announce = async (resourceType: string, resourceId: string, item: object) => {
    const sns = new SNSClient({
      endpoint: localStack.url,
      region: REGION,
      credentials: { accessKeyId: TOPIC_ACCOUNT, secretAccessKey: "test" },
    });
    counter += 1;
    const configurationItem = {
      awsAccountId: MOTO_ACCOUNT,
      awsRegion: REGION,
      resourceType,
      resourceId,
      configurationItemStatus: "OK",
      configurationItemCaptureTime: new Date().toISOString(),
      configurationStateId: counter,
      ...item,
    };
    await sns.send(
      new PublishCommand({
        TopicArn: TOPIC,
        Subject: `[AWS Config:${REGION}] ${resourceType} ${resourceId}`.slice(0, 99),
        Message: JSON.stringify({ messageType: "ConfigurationItemChangeNotification", configurationItem }),
      }),
    );
  };
  const group = (name: string, item: object) =>
    announce("AWS::AutoScaling::AutoScalingGroup", name, { resourceName: name, ...item });
  const status = async (path: string) => (await fetch(engine.clouddriverUrl + path)).status;
  const cached = async (name: string) => (await status(`/serverGroups/default/${REGION}/${name}`)) === 200;
  const applied = () => log().split('"outcome":"applied"').length - 1;

  test("a new group is in the cache of the real engine within seconds of its event", async () => {
    await engine.group("chain-main-v001", 2);
    expect(await cached("chain-main-v001")).toBe(false);
    await group("chain-main-v001", { configuration: { desiredCapacity: 2 } });
    await until(() => cached("chain-main-v001"), `the group in the cache; ${log()}`);
    await until(() => applied() === 1, "the message to be acknowledged");
  });

  test("its deletion evicts it", async () => {
    await engine.removeGroup("chain-main-v001");
    await group("chain-main-v001", { configurationItemStatus: "ResourceDeleted", configuration: null });
    await until(async () => !(await cached("chain-main-v001")), "the eviction");
    await until(() => applied() === 2, "the message to be acknowledged");
  });

  test("a new security group too", async () => {
    const id = await engine.securityGroup("chain-sg");
    const path = `/securityGroups/default/aws/${REGION}/${id}?getById=true`;
    expect(await status(path)).toBe(404);
    await announce("AWS::EC2::SecurityGroup", id, { configuration: { groupName: "chain-sg" } });
    await until(async () => (await status(path)) === 200, "the security group in the cache");
  });

  test("a burst for one Region costs AWS two passes, not one for each event", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `burst${index}-main-v001`);
    for (const name of names) await engine.group(name, 0);
    engine.proxy.reset();
    await Promise.all(names.map((name) => group(name, { configuration: { desiredCapacity: 0 } })));
    await until(async () => (await Promise.all(names.map(cached))).every(Boolean), "the burst in the cache");
    // One for the leading run, one for the trailing run; one of the agent's own passes may fall between.
    expect(engine.proxy.counts()["autoscaling:DescribeAutoScalingGroups"]).toBeLessThanOrEqual(3);
  });

  describe("each kind that moto can change, over a queue", () => {
    const queueStopper = new AbortController();
    let receiving: Promise<number>;
    let queueLog: () => string;
    let queueAdmin: string;
    let topic: string;

    beforeAll(async () => {
      const created = await aec(
        ["sns", "create", "--protocol", "sqs", "--topic-name", "queued", "--yes", "-o", "json"],
        {
          env,
        },
      );
      expect(created.exit, created.stderr).toBe(0);
      topic = created.json<{ topicArn: string }>().topicArn;
      const queueUrl = localStack.queueUrl(TOPIC_ACCOUNT, "queued-events");
      const { world, written } = testWorld({ env, signal: queueStopper.signal });
      queueLog = () => written.stderr;
      const argv = ["--queue-url", queueUrl, "--topic-arn", topic, "--mode", "events"];
      receiving = main(["serve", ...argv, "--admin-listen", "127.0.0.1:0"], world);
      await until(() => written.stdout.includes("\n"), "serve to be ready");
      queueAdmin = (JSON.parse(written.stdout) as { admin: string }).admin;
    });
    afterAll(async () => {
      queueStopper.abort();
      await receiving;
    });

    const item = (resourceType: string, resourceId: string, more: object = {}) => ({
      messageType: "ConfigurationItemChangeNotification",
      configurationItem: {
        awsAccountId: MOTO_ACCOUNT,
        awsRegion: REGION,
        resourceType,
        resourceId,
        resourceName: resourceId,
        configurationItemStatus: "OK",
        configurationItemCaptureTime: new Date().toISOString(),
        ...more,
      },
    });
    const event = (source: string, detailType: string, detail: object) => ({
      source,
      "detail-type": detailType,
      account: MOTO_ACCOUNT,
      region: REGION,
      time: new Date().toISOString(),
      resources: [],
      detail,
    });
    const balancerArn = (name: string) =>
      `arn:aws:elasticloadbalancing:${REGION}:${MOTO_ACCOUNT}:loadbalancer/app/${name}/0123456789abcdef`;
    const stack = (name: string) => ({ "stack-id": name, "status-details": { status: "CREATE_COMPLETE" } });

    /** Makes it in AWS, and tells of it as AWS does. */
    const KINDS: Record<string, () => Promise<object>> = {
      "a server group, by Auto Scaling": async () => {
        await engine.group("kinds-main-v001", 1);
        return event("aws.autoscaling", "EC2 Instance-launch Lifecycle Action", {
          AutoScalingGroupName: "kinds-main-v001",
        });
      },
      "a security group, by AWS Config": async () =>
        item("AWS::EC2::SecurityGroup", await engine.securityGroup("kinds-sg")),
      "an application balancer, by AWS Config": async () => {
        await engine.balancer("kinds-alb", "application");
        return item("AWS::ElasticLoadBalancingV2::LoadBalancer", balancerArn("kinds-alb"), {
          ARN: balancerArn("kinds-alb"),
        });
      },
      "a classic balancer, by CloudTrail": async () => {
        await engine.balancer("kinds-classic", "classic");
        return event("aws.elasticloadbalancing", "AWS API Call via CloudTrail", {
          eventSource: "elasticloadbalancing.amazonaws.com",
          eventName: "CreateLoadBalancer",
          requestParameters: { loadBalancerName: "kinds-classic" },
        });
      },
      "a key pair, by CloudTrail": async () => {
        const keyName = await engine.plain("key-pair", "kinds-key");
        return event("aws.ec2", "AWS API Call via CloudTrail", {
          eventSource: "ec2.amazonaws.com",
          eventName: "CreateKeyPair",
          requestParameters: { keyName },
        });
      },
      "a VPC, by AWS Config": async () => item("AWS::EC2::VPC", await engine.plain("vpc", "kinds-vpc")),
      "a stack, by CloudFormation": async () =>
        event(
          "aws.cloudformation",
          "CloudFormation Stack Status Change",
          stack(await engine.plain("stack", "kinds-stack")),
        ),
    };

    const publish = async (message: object) => {
      const credentials = { accessKeyId: TOPIC_ACCOUNT, secretAccessKey: "test" };
      const sns = new SNSClient({ endpoint: localStack.url, region: REGION, credentials });
      await sns.send(new PublishCommand({ TopicArn: topic, Message: JSON.stringify(message) }));
    };
    test.each(Object.entries(KINDS))(
      "%s: in the cache, right, and acknowledged only then",
      async (_, make) => {
        const settled = () =>
          queueLog()
            .split("\n")
            .filter((line) => line.includes("message settled"))
            .map((line) => JSON.parse(line));
        const before = settled().length;
        const message = await make();
        const credentials = { accessKeyId: TOPIC_ACCOUNT, secretAccessKey: "test" };
        const sns = new SNSClient({ endpoint: localStack.url, region: REGION, credentials });
        await sns.send(new PublishCommand({ TopicArn: topic, Message: JSON.stringify(message) }));
        await until(() => settled().length > before, "the answer", 60_000);
        const [fate] = settled().slice(before);
        expect(fate).toMatchObject({ outcome: "applied", signature: "valid" });
        const [work] = fate.work;
        // Read back by another way than serve's: what was there before is unchanged now.
        const read = await aec(
          [
            "refresh",
            work.name,
            "--type",
            work.type,
            "--account",
            work.account,
            "--region",
            work.region,
            "-o",
            "json",
          ],
          { env },
        );
        expect(read.json<{ items: object[] }>().items).toMatchObject([{ verdict: "unchanged" }]);
      },
    );

    test("mode events: what has proven to be told fast is not polled, and shows as fast as ever", async () => {
      const told = async (name: string) => {
        await engine.group(name, 1);
        await publish(
          event("aws.autoscaling", "EC2 Instance-launch Lifecycle Action", { AutoScalingGroupName: name }),
        );
        await until(() => cached(name), name, 30_000);
      };
      for (let index = 0; index < 5; index += 1) await told(`proof${index}-main-v001`);
      const status = async () => {
        const answer = await fetch(new URL("/status", queueAdmin), {
          headers: { authorization: "Bearer token" },
        });
        return (await answer.json()) as { events: { type: string; proven: boolean }[] };
      };
      const isProven = async () =>
        (await status()).events.some(({ type, proven }) => type === "server-group" && proven);
      await until(isProven, "the proof");
      const locks = openRedisLocks(engine.redisUrl);
      try {
        const held = async () => (await locks.lock(`default/${REGION}/ClusterCachingAgent`)).held;
        await until(held, "the hold", 60_000);
        engine.proxy.reset();
        await new Promise((resolve) => setTimeout(resolve, 45_000));
        expect(engine.proxy.counts()["autoscaling:DescribeAutoScalingGroups"] ?? 0).toBe(0);
        // What nothing was told of polls on.
        expect(engine.proxy.counts()["ec2:DescribeSubnets"] ?? 0).toBeGreaterThan(0);
        const before = Date.now();
        await told("proof5-main-v001");
        expect(Date.now() - before).toBeLessThan(10_000);
      } finally {
        locks.close();
      }
    });
  });

  test("polling that is slowed down live costs nothing, an event is as fast as ever, and release ends it", async () => {
    const polling = (...argv: string[]) => aec(["polling", ...argv], { env });
    const set = await polling("set", "--live", "--agents", "default/**", "--interval", "10m");
    expect(set.exit, set.stderr).toBe(0);
    const held = async () =>
      (await (await polling("get", "-o", "json")).json<{ holds: object[] }>()).holds.length;
    for (const end = Date.now() + 45_000; (await held()) < 12 && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await held()).toBeGreaterThanOrEqual(12);
    engine.proxy.reset();
    await new Promise((resolve) => setTimeout(resolve, 65_000));
    const quiet = engine.proxy.counts();
    // What the burst before made run is not counted.
    const calls = ["ec2:DescribeVpcs", "ec2:DescribeImages", "autoscaling:DescribeLaunchConfigurations"];
    expect(calls.map((call) => quiet[call] ?? 0)).toEqual([0, 0, 0]);

    await engine.group("quiet-main-v001", 1);
    await group("quiet-main-v001", { configuration: { desiredCapacity: 1 } });
    await until(() => cached("quiet-main-v001"), "the group in the cache although its agent is held");

    expect((await polling("release")).exit).toBe(0);
    const polled = () => (engine.proxy.counts()["ec2:DescribeVpcs"] ?? 0) > 0;
    await until(polled, "the agents to poll again");
  });
});
