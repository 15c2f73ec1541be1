import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type SandboxAws, startAws } from "../../src/sandbox/aws/server.ts";
import { aec, type WorldOptions } from "../helpers/aec.ts";
import { fairClock } from "../helpers/fair-clock.ts";
import { SPEED } from "../helpers/site.ts";

const REGION = "us-east-1";
const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-default";
const QUEUE = "arn:aws:sqs:us-east-1:012345678901:aec-default-dlq";
const MUTATING = /^(Create|Set|Subscribe|Unsubscribe|Delete|Tag|Put)/;

interface Created {
  topicArn: string;
  subscriptionArn: string;
  state: string;
  changes: { resource: string; action: string; detail?: string }[];
  hints: string[];
}

/** AWS, and an endpoint that confirms as the plugin in Gate does: by the API. */
async function account(confirms = true) {
  const clock = fairClock(SPEED);
  const aws = await startAws({ clock, regions: [REGION] });
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { Type, TopicArn, Token } = JSON.parse(body) as Record<string, string>;
    if (confirms && Type === "SubscriptionConfirmation") {
      aws.sns.confirm(TopicArn ?? "", Token ?? "", { signed: true, authenticateOnUnsubscribe: true });
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await aws.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/aws/notify`;
  const env = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox",
    AWS_REGION: REGION,
  };
  const run = (command: string, argv: readonly string[] = [], options: WorldOptions = {}) =>
    aec(["sns", command, "--endpoint", endpoint, ...argv], {
      clock,
      ...options,
      env: { ...env, ...options.env },
    });
  return {
    aws,
    endpoint,
    env,
    clock,
    run,
    create: (...argv: string[]) => run("create", ["--yes", "-o", "json", ...argv]),
    mutations: () => aws.requests.map(({ action }) => action).filter((action) => MUTATING.test(action)),
  };
}

const attributes = (aws: SandboxAws) => Object.fromEntries(aws.sns.topics.get(TOPIC)?.attributes ?? []);
const statements = (aws: SandboxAws) =>
  JSON.parse(attributes(aws).Policy ?? "{}").Statement as Record<string, unknown>[];

describe("sns create", () => {
  test("topic, policy, queue and confirmed subscription", async () => {
    const { aws, create, endpoint } = await account();
    const { exit, json, stderr } = await create();
    expect(exit, stderr).toBe(0);
    expect(json<Created>()).toMatchObject({ region: REGION, topicArn: TOPIC, state: "confirmed" });
    expect(json<Created>().changes.map(({ resource, action }) => [resource, action])).toEqual([
      ["dead-letter queue", "create"],
      ["topic", "create"],
      ["topic policy", "create"],
      ["topic signature version", "create"],
      ["subscription", "create"],
    ]);
    expect(attributes(aws).SignatureVersion).toBe("2");
    expect(Object.fromEntries(aws.sns.topics.get(TOPIC)?.tags ?? [])).toEqual({
      "aec:managed": "true",
      "aec:environment": "default",
    });
    expect(statements(aws)).toEqual([
      expect.objectContaining({ Sid: "__default_statement_ID" }),
      {
        Sid: "aecConfig",
        Effect: "Allow",
        Principal: { Service: "config.amazonaws.com" },
        Action: "sns:Publish",
        Resource: TOPIC,
        Condition: { StringEquals: { "AWS:SourceAccount": ["012345678901"] } },
      },
      {
        Sid: "aecEventBridge",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sns:Publish",
        Resource: TOPIC,
      },
    ]);
    const [subscription] = aws.sns.subscriptions.values();
    expect(subscription?.endpoint).toBe(endpoint);
    const settings = Object.fromEntries(subscription?.attributes ?? []);
    expect(JSON.parse(settings.RedrivePolicy ?? "{}")).toEqual({ deadLetterTargetArn: QUEUE });
    expect(JSON.parse(settings.DeliveryPolicy ?? "{}").healthyRetryPolicy.numRetries).toBe(50);
  });

  test("a second run changes nothing", async () => {
    const { create, mutations } = await account();
    await create();
    const before = mutations().length;
    const { exit, json } = await create();
    expect(exit).toBe(0);
    expect(json<Created>().changes.every(({ action }) => action === "none")).toBe(true);
    expect(mutations().length).toBe(before);
  });

  test("mends what drifted and keeps what is not ours", async () => {
    const { aws, create, run } = await account();
    await create();
    const foreign = {
      Sid: "theirs",
      Effect: "Allow",
      Principal: "*",
      Action: "sns:Subscribe",
      Resource: TOPIC,
    };
    const [owner] = statements(aws);
    aws.sns.topics.get(TOPIC)?.attributes.set("Policy", JSON.stringify({ Statement: [foreign, owner] }));
    aws.sns.topics.get(TOPIC)?.attributes.set("SignatureVersion", "1");
    const status = await run("status", ["--exit-code", "-o", "json"]);
    expect(status.exit).toBe(3);
    expect(status.json<{ drift: unknown[] }>().drift).toHaveLength(2);
    await create();
    expect(statements(aws).map(({ Sid }) => Sid)).toEqual([
      "theirs",
      "__default_statement_ID",
      "aecConfig",
      "aecEventBridge",
    ]);
    expect((await run("status", ["--exit-code"])).exit).toBe(0);
  });

  test("--source-account names exactly the accounts; without it they stay", async () => {
    const { aws, create } = await account();
    const accounts = () => statements(aws).find(({ Sid }) => Sid === "aecConfig")?.Condition;
    await create("--source-account", "999999999999", "--source-account", "000000000001");
    expect(accounts()).toEqual({ StringEquals: { "AWS:SourceAccount": ["000000000001", "999999999999"] } });
    await create();
    expect(accounts()).toEqual({ StringEquals: { "AWS:SourceAccount": ["000000000001", "999999999999"] } });
    await create("--source-account", "000000000001");
    expect(JSON.stringify(accounts())).not.toContain("999999999999");
  });

  test("--no-dlq, --topic-name", async () => {
    const { aws, create } = await account();
    expect((await create("--no-dlq", "--topic-name", "events")).json<Created>().topicArn).toMatch(/:events$/);
    expect(aws.sqs.queues.size).toBe(0);
  });

  test("waits for the confirmation; at the time-out exit 8 and what to look at", async () => {
    const { create, aws } = await account(false);
    const { exit, json, stderr } = await create("--timeout", "6s");
    expect(exit).toBe(8);
    expect(json<Created>().state).toBe("pending");
    expect(json<Created>().hints.join()).toMatch(
      /reachable from the internet.*context path.*authentication filter/s,
    );
    expect(stderr).toContain("waiting for http://127.0.0.1");
    const again = await create("--no-wait");
    expect(again.exit).toBe(0);
    expect(again.json<Created>().changes).toContainEqual({
      resource: "subscription",
      action: "update",
      detail: "confirmation asked for again",
    });
    expect(aws.sns.subscriptions.size).toBe(1);
  });

  test("--dry-run changes nothing; --exit-code tells", async () => {
    const { create, run, mutations } = await account();
    expect((await run("create", ["--dry-run", "--exit-code"])).exit).toBe(3);
    expect(mutations()).toEqual([]);
    await create();
    expect((await run("create", ["--dry-run", "--exit-code"])).exit).toBe(0);
  });

  test("a topic of somebody else is left alone", async () => {
    const { aws, create, mutations } = await account();
    aws.sns.createTopic(REGION, "aec-default", new Map(), new Map([["team", "billing"]]));
    const { exit, json } = await create();
    expect(exit).toBe(1);
    expect(json()).toMatchObject({
      error: { code: "not-ours", hint: expect.stringContaining("--topic-name") },
    });
    expect(mutations()).toEqual([]);
  });

  test("two at the same moment end in one topic, one subscription, one right policy", async () => {
    const { aws, create } = await account();
    const outcomes = await Promise.all([create(), create()]);
    expect(outcomes.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(aws.sns.topics.size).toBe(1);
    expect(aws.sns.subscriptions.size).toBe(1);
    expect(statements(aws).map(({ Sid }) => Sid)).toEqual([
      "__default_statement_ID",
      "aecConfig",
      "aecEventBridge",
    ]);
  });

  test.each(["CreateQueue", "CreateTopic", "SetTopicAttributes", "Subscribe"])(
    "interrupted at %s, the next run completes",
    async (action) => {
      const { aws, create } = await account();
      aws.fault({ kind: "denied", action });
      const { exit, json } = await create();
      expect(exit).toBe(4);
      expect(json()).toMatchObject({
        error: { code: "aws-denied", message: expect.stringContaining(action) },
      });
      aws.fault(undefined);
      expect((await create()).json<Created>().state).toBe("confirmed");
    },
  );
});

describe("sns delete", () => {
  test("leaves the account as it was", async () => {
    const { aws, create, run } = await account();
    await create();
    expect((await run("delete", ["--dry-run", "--exit-code"])).exit).toBe(3);
    const { exit } = await run("delete", ["--yes"]);
    expect(exit).toBe(0);
    expect([aws.sns.topics.size, aws.sns.subscriptions.size, aws.sqs.queues.size]).toEqual([0, 0, 0]);
    expect((await run("delete", ["--yes"])).stdout).toContain("Nothing to delete");
  });

  test("keeps a topic that others are subscribed to, and a queue with undelivered messages", async () => {
    const { aws, create, run } = await account();
    await create();
    aws.sns.subscribe(TOPIC, "http", "http://127.0.0.1:1/theirs", new Map());
    aws.sqs.sendFromTopic?.(QUEUE, "{}", TOPIC);
    const { stdout } = await run("delete", ["--yes"]);
    expect(aws.sns.topics.size).toBe(1);
    expect(statements(aws).map(({ Sid }) => Sid)).toEqual(["__default_statement_ID"]);
    expect(stdout).toContain("http://127.0.0.1:1/theirs is subscribed too");
  });

  test("touches nothing that is not tagged", async () => {
    const { aws, run, mutations } = await account();
    aws.sns.createTopic(REGION, "aec-default", new Map(), new Map());
    const { exit, stdout } = await run("delete", ["--yes"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("not tagged as aec's");
    expect(mutations()).toEqual([]);
  });
});

describe("sns status", () => {
  test("before create: what is missing, exit 0", async () => {
    const { run } = await account();
    const { exit, stdout } = await run("status");
    expect(exit).toBe(0);
    expect(stdout).toContain("missing");
    expect(stdout).toContain("aec sns create");
  });

  test("after it: no drift, and whether Config publishes to it", async () => {
    const { aws, run, create } = await account();
    await create();
    expect((await run("status")).stdout).toMatch(/confirmed\ndrift +none\n$/);
    expect((await run("status", ["--deep"])).stdout).toMatch(
      /undelivered +0\nAWS Config +publishes to no topic/,
    );
    aws.config.enable(REGION, TOPIC);
    expect((await run("status", ["--deep"])).stdout).toContain("publishes to this topic");
    (aws.sqs.queues as Map<string, unknown>).clear();
    expect((await run("status", ["--deep", "--exit-code"])).exit).toBe(3);
  });
});

describe("bad input and faults", () => {
  test.each([
    [["--endpoint", "http://gate.example.com/aws/notify"], /plain http/],
    [["--endpoint", "gate"], /not a URL/],
    [["--topic-name", "Spinnaker events"], /cannot be a topic name/],
    [["--source-account", "12345"], /12 digits/],
    [["--aws-region", "useast1"], /not an AWS Region/],
  ])("%j: exit 2", async (argv, reason) => {
    const { run, mutations } = await account();
    const { exit, stderr } = await run("create", ["--yes", ...argv]);
    expect(stderr).toMatch(reason);
    expect(exit).toBe(2);
    expect(mutations()).toEqual([]);
  });

  test("no endpoint, no Region, no credentials", async () => {
    const { env } = await account();
    const bare = await aec(["sns", "create", "--yes"], { env });
    expect([bare.exit, bare.stderr]).toEqual([2, expect.stringContaining("--endpoint")]);
    const nowhere = await aec(["sns", "status"], { env: { ...env, AWS_REGION: undefined } });
    expect([nowhere.exit, nowhere.stderr]).toEqual([2, expect.stringContaining("--aws-region")]);
    const nobody = await aec(["sns", "status"], { env: { ...env, AWS_ACCESS_KEY_ID: undefined } });
    expect([nobody.exit, nobody.stderr]).toEqual([4, expect.stringContaining("no AWS credentials")]);
  });

  test.each([
    ["throttled", 1, "aws-throttled"],
    ["denied", 4, "aws-denied"],
    ["html", 1, "aws-garbled"],
  ] as const)("AWS answers: %s", async (kind, exit, code) => {
    const { aws, run } = await account();
    aws.fault({ kind });
    const outcome = await run("status", ["-o", "json"], { env: { AWS_MAX_ATTEMPTS: "1" } });
    expect(outcome.json()).toMatchObject({ error: { code, hint: expect.any(String) } });
    expect(outcome.exit).toBe(exit);
  });

  test("nobody answers at the endpoint", async () => {
    const { run } = await account();
    const { exit, stderr } = await run("status", [], { env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" } });
    expect(stderr).toContain("AWS_ENDPOINT_URL");
    expect(exit).toBe(1);
  });

  test("-v shows each call with its duration", async () => {
    const { run } = await account();
    expect((await run("status", ["-v"])).stderr).toMatch(/AWS SNS:GetTopicAttributes → .+ \(\d+m?s/);
  });

  test("aec.yml: names, endpoint, accounts of the environment", async () => {
    const { aws, env, clock, endpoint } = await account();
    const { writeFileSync } = await import("node:fs");
    const { temporaryDirectory } = await import("../helpers/aec.ts");
    const cwd = temporaryDirectory();
    writeFileSync(
      `${cwd}/aec.yml`,
      `version: 1
environments:
  staging:
    notify: { topicName: stage-events, endpoint: "${endpoint}", regions: [${REGION}] }
    accounts: [ { name: stage, awsAccountId: "000000000042" } ]
`,
    );
    const { exit, stderr } = await aec(["sns", "create", "--yes"], {
      env: { ...env, AWS_REGION: undefined },
      clock,
      cwd,
    });
    expect(exit, stderr).toBe(0);
    const [topic] = aws.sns.topics.values();
    expect(topic?.attributes.get("Policy")).toContain("000000000042");
    expect(topic?.tags.get("aec:environment")).toBe("staging");
  });
});
