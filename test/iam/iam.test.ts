import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PERMISSIONS, policyOf } from "../../src/iam/permissions.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { testAws } from "../helpers/aws.ts";
import { REGION, serve, testSite, until } from "../helpers/site.ts";

interface Checked {
  actions: { action: string; result: string }[];
}
interface Policy {
  policy: { Statement: { Sid: string; Action: string[]; Resource: string[] }[] };
}
const policy = async (...argv: string[]) =>
  (await aec(["iam", "-o", "json", ...argv])).json<Policy>().policy.Statement;
const actionsOf = async (...argv: string[]) => (await policy(...argv)).flatMap(({ Action }) => Action);

const QUEUE = `arn:aws:sqs:${REGION}:012345678901:queued-events`;
const DLQ = `arn:aws:sqs:${REGION}:012345678901:aec-default-dlq`;

/** Checked by AWS without a call of their own, or called by another party or only while something fails. */
const UNSEEN = new Set([
  "sns:TagResource",
  "sqs:TagQueue",
  "events:TagResource",
  "iam:PassRole",
  "iam:CreateServiceLinkedRole",
  "sns:ConfirmSubscription",
  "sqs:ChangeMessageVisibility",
]);

describe("aec iam", () => {
  test("what a command may call is what it calls, no more and no less", async () => {
    const ecs = { name: "ecs", accountId: "012345678901", regions: [REGION], provider: "ecs" as const };
    const site = await testSite({ accounts: [ecs] });
    site.aws.inventory.put("ecs-service", REGION, { id: "shop", name: "shop", state: "1" });
    // One that looks at dead-letter queues would mix its calls with those of the commands.
    const serving = await serve(site, ["--mode", "careful"]);
    const endpoint = ["--endpoint", serving.notify];
    const queued = ["--protocol", "sqs", "--topic-name", "queued"];
    const runs: [string, string[]][] = [
      ["sns create", endpoint],
      ["sns create", [...endpoint, "--source-account", "000000000001"]],
      ["sns create", [...endpoint, "--filter"]],
      ["sns create", queued],
      ["sns status", ["--deep", ...endpoint]],
      ["sns test", []],
      ["recorder enable", ["--bucket", "config-bucket"]],
      ["recorder status", []],
      ["recorder disable", []],
      ["events enable", ["--cloudtrail"]],
      ["events enable", ["--cloudtrail"]],
      ["events status", []],
      ["events disable", []],
      ["refresh", ["--account", "prod", "--audit"]],
      ["refresh", ["--account", "ecs", "--audit"]],
      ["budget", ["--aws"]],
    ];
    const home = temporaryDirectory();
    const called = new Map<string, Set<string>>();
    const note = (command: string, from: number) => {
      const calls = called.get(command) ?? new Set();
      called.set(command, calls);
      for (const { service, action } of site.aws.requests.slice(from)) {
        if (service !== "sts" && action !== "ConfirmSubscription") calls.add(`${service}:${action}`);
      }
    };
    const collect = async (command: string, argv: string[]) => {
      const before = site.aws.requests.length;
      const yes = /create|delete|enable|disable|redrive/.test(command) ? ["--yes"] : [];
      const outcome = await site.aec([...command.split(" "), ...argv, ...yes], { home });
      expect(outcome.exit, outcome.stderr).toBe(0);
      note(command, before);
    };
    for (const [command, argv] of runs) await collect(command, argv);
    // The event queue's policy has drifted, and the recorder was another one's: the ways that change what is there.
    site.aws.sqs.queues.get(QUEUE)?.attributes.delete("VisibilityTimeout");
    await collect("sns create", queued);
    const name = ["--topic-name", "queued"];
    await site.aec(["events", "enable", ...name, "--yes"], { home });
    await collect("doctor", ["--protocol", "sqs", "--topic-name", "queued"]);
    await collect("status", name);
    await site.aec(["events", "disable", ...name, "--yes"], { home });
    site.aws.config.enable(REGION, "arn:aws:sns:us-east-1:012345678901:aec-default");
    const recorder = site.aws.config.recorder(REGION);
    if (recorder) recorder.recordingGroup = { allSupported: false, resourceTypes: [] };
    await collect("recorder enable", []);
    await collect("recorder disable", []);

    const beforeServing = site.aws.requests.length;
    const url = `${site.aws.url}/012345678901/queued-events`;
    site.aws.sqs.sendFromTopic(QUEUE, "{}", "arn:aws:sns:us-east-1:012345678901:queued");
    const receiving = await serve(site, ["--queue-url", url]);
    await until(() => receiving.log().some(({ msg }) => msg === "message settled"), "the message");
    await until(() => site.aws.sqs.queues.get(QUEUE)?.messages.length === 0, "its deletion");
    await receiving.stop();
    const listening = await serve(site, ["--heartbeat", "1h"]);
    const lastCalls = () => new Set(site.aws.requests.slice(beforeServing).map(({ action }) => action));
    await until(() => lastCalls().has("PutEvents") && lastCalls().has("ListQueueTags"), "its own calls");
    await listening.stop();
    note("serve", beforeServing);
    site.aws.sqs.sendFromTopic(DLQ, "{}", "arn:aws:sns:us-east-1:012345678901:aec-default");
    await collect("sns redrive", []);
    await collect("sns delete", []);
    await collect("sns delete", queued);
    const foreign = "arn:aws:sns:us-east-1:012345678901:aec-default";
    await site.aec(["sns", "create", ...endpoint, "--yes"]);
    site.aws.sns.subscribe(foreign, "http", "http://127.0.0.1:9/theirs", new Map());
    await collect("sns delete", endpoint);

    for (const [command, calls] of called) {
      const allowed = (await actionsOf(...command.split(" "))).filter((action) => !UNSEEN.has(action));
      expect([...calls].toSorted(), command).toEqual(allowed.toSorted());
    }
    expect([...called.keys()].toSorted()).toEqual(Object.keys(PERMISSIONS).toSorted());
  });

  test("every action that the code names is in some command's policy", () => {
    const folder = join(import.meta.dirname, "../../src/aws");
    const named = readdirSync(folder).flatMap((name) =>
      [...readFileSync(join(folder, name), "utf8").matchAll(/awsCall\("([a-z-]+:[A-Za-z]+)"/g)].map(
        ([, action]) => action,
      ),
    );
    const entering = { partition: "aws", accountId: "*", regions: ["*"], topicName: "t", roles: ["arn:r"] };
    expect(policyOf([], entering).Statement).toMatchObject([
      { Action: ["sts:AssumeRole"], Resource: ["arn:r"] },
    ]);
    const allowed = new Set(
      Object.values(PERMISSIONS).flatMap((list) => list.flatMap(({ actions }) => actions)),
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((action) => !action?.startsWith("sts:") && !allowed.has(action ?? ""))).toEqual([]);
  });

  test("resources are named where IAM knows them, with account, Region and topic", async () => {
    const statements = await policy("sns", "create", "--account", "012345678901", "--aws-region", REGION);
    const resources = Object.fromEntries(statements.map(({ Sid, Resource }) => [Sid, Resource]));
    expect(resources.aecTopic).toEqual([`arn:aws:sns:${REGION}:012345678901:aec-default`]);
    expect(resources.aecQueues).toEqual(
      ["dlq", "events"].map((name) => `arn:aws:sqs:${REGION}:012345678901:aec-default-${name}`),
    );
    const wide = statements.filter(({ Resource }) => Resource.includes("*")).flatMap(({ Action }) => Action);
    expect(wide).toEqual(["sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"]);
  });

  test("--trust prints who may enter the roles; --check says what is denied, and changes nothing", async () => {
    const principal = "arn:aws:iam::012345678901:role/aec";
    const trusted = await aec(["iam", "--trust", principal, "--external-id", "x", "-o", "json"]);
    expect(trusted.json()).toMatchObject({
      trust: {
        Statement: [
          { Principal: { AWS: principal }, Condition: { StringEquals: { "sts:ExternalId": "x" } } },
        ],
      },
    });
    expect((await aec(["iam", "--trust", "aec"])).exit).toBe(2);

    const { run, aws, mutations } = await testAws();
    const results = async () => {
      const { exit, json } = await run("iam sns status recorder status --check -o json");
      const { actions } = json<{ actions: { action: string; result: string }[] }>();
      return { exit, by: Object.fromEntries(actions.map(({ action, result }) => [action, result])) };
    };
    const before = await results();
    expect([before.exit, before.by["sns:GetTopicAttributes"]]).toEqual([0, "allowed"]);
    await run("sns create --endpoint http://127.0.0.1:9/aws/notify --no-wait --yes");
    const made = mutations().length;
    aws.fault({ kind: "denied", action: "ListQueueTags" });
    const { exit, by } = await results();
    expect([exit, by["sqs:ListQueueTags"], by["sqs:GetQueueUrl"]]).toEqual([4, "denied", "untried"]);
    aws.fault({ kind: "denied", action: "DescribeScalableTargets" });
    const refreshing = await run("iam refresh --check -o json");
    const checked = refreshing.json<Checked>().actions;
    aws.fault(undefined);
    const { actions: counting } = (await run("iam budget --check -o json")).json<Checked>();
    expect(new Set(counting.map(({ result }) => result))).toEqual(new Set(["allowed"]));
    aws.fault({ kind: "denied", service: "ecs" });
    const { actions: denied } = (await run("iam refresh --check -o json")).json<Checked>();
    expect(denied.filter(({ result }) => result === "denied").map(({ action }) => action)).toEqual([
      "ecs:ListClusters",
    ]);
    expect(Object.fromEntries(checked.map(({ action, result }) => [action, result]))).toMatchObject({
      "application-autoscaling:DescribeScalableTargets": "denied",
      "autoscaling:DescribeAutoScalingGroups": "allowed",
      "ec2:DescribeSecurityGroups": "allowed",
    });
    expect(mutations().length).toBe(made);
  });

  test("a group, several commands, and a command that is none", async () => {
    expect(await actionsOf("recorder", "serve")).toContain("config:DeleteDeliveryChannel");
    expect((await actionsOf()).length).toBeGreaterThan((await actionsOf("serve")).length);
    const { exit, stderr } = await aec(["iam", "recoder"]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining('did you mean "recorder"')]);
  });
});
