import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PERMISSIONS, policyOf } from "../../src/iam/permissions.ts";
import { aec } from "../helpers/aec.ts";
import { testAws } from "../helpers/aws.ts";
import { REGION, serve, testSite } from "../helpers/site.ts";

interface Policy {
  policy: { Statement: { Sid: string; Action: string[]; Resource: string[] }[] };
}
const policy = async (...argv: string[]) =>
  (await aec(["iam", "-o", "json", ...argv])).json<Policy>().policy.Statement;
const actionsOf = async (...argv: string[]) => (await policy(...argv)).flatMap(({ Action }) => Action);

describe("aec iam", () => {
  test("every call that a command makes is in its policy", async () => {
    const site = await testSite();
    const serving = await serve(site);
    const endpoint = ["--endpoint", serving.notify];
    const bucket = ["--bucket", "config-bucket"];
    const runs: [string, string[]][] = [
      ["sns create", endpoint],
      ["sns create", [...endpoint, "--source-account", "000000000001"]],
      ["sns status", ["--deep"]],
      ["recorder enable", bucket],
      ["recorder status", []],
      ["recorder disable", []],
      ["events enable", ["--cloudtrail"]],
      ["events status", []],
      ["events disable", []],
      ["sns delete", endpoint],
      ["sns create", ["--protocol", "sqs", "--topic-name", "queued"]],
      ["sns create", ["--protocol", "sqs", "--topic-name", "queued", "--filter"]],
      ["sns delete", ["--protocol", "sqs", "--topic-name", "queued"]],
    ];
    for (const [command, argv] of runs) {
      const before = site.aws.requests.length;
      const yes = /create|delete|enable|disable/.test(command) ? ["--yes"] : [];
      const outcome = await site.aec([...command.split(" "), ...argv, ...yes]);
      expect(outcome.exit, outcome.stderr).toBe(0);
      const called = new Set(
        site.aws.requests
          .slice(before)
          .filter(({ service, action }) => service !== "sts" && action !== "ConfirmSubscription")
          .map(({ service, action }) => `${service}:${action}`),
      );
      expect(called.size).toBeGreaterThan(0);
      const allowed = await actionsOf(...command.split(" "));
      for (const action of called) expect(allowed, `${command} calls ${action}`).toContain(action);
    }
    expect(site.aws.requests.some(({ action }) => action === "ConfirmSubscription")).toBe(true);
  });

  test("every action that the code names is in some command's policy", () => {
    const folder = join(import.meta.dirname, "../../src/aws");
    const named = readdirSync(folder).flatMap((name) =>
      [...readFileSync(join(folder, name), "utf8").matchAll(/awsCall\("([a-z]+:[A-Za-z]+)"/g)].map(
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
    expect(mutations().length).toBe(made);
  });

  test("a group, several commands, and a command that is none", async () => {
    expect(await actionsOf("recorder", "serve")).toContain("config:DeleteDeliveryChannel");
    expect((await actionsOf()).length).toBeGreaterThan((await actionsOf("serve")).length);
    const { exit, stderr } = await aec(["iam", "recoder"]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining('did you mean "recorder"')]);
  });
});
