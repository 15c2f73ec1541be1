import { describe, expect, test } from "vitest";
import { RULES } from "../../src/rules/rules.ts";
import { autoScalingGroup } from "../../src/sandbox/aws/inventory.ts";
import { aec } from "../helpers/aec.ts";
import { MUTATING, testAws } from "../helpers/aws.ts";

const REGION = "us-east-1";
const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-default";
const CREATE = "sns create --endpoint http://127.0.0.1:9/aws/notify --no-wait --no-dlq --yes";

interface Enabled {
  topicArn: string;
  changes: { resource: string; action: string; detail?: string }[];
}

async function withTopic() {
  const site = await testAws();
  await site.run(CREATE);
  return { ...site, rules: () => [...site.aws.events.rules.values()] };
}

describe("events enable", () => {
  test("a rule with our tags, a narrow pattern and the topic as its target", async () => {
    const { run, rules } = await withTopic();
    const { exit, json, stderr } = await run("events enable --yes -o json");
    expect(exit, stderr).toBe(0);
    expect(json<Enabled>()).toMatchObject({
      region: REGION,
      topicArn: TOPIC,
      changes: [{ resource: "rule aec-default-autoscaling", action: "create" }],
    });
    const [rule] = rules();
    expect(Object.fromEntries(rule?.tags ?? [])).toEqual({
      "aec:managed": "true",
      "aec:environment": "default",
    });
    expect(JSON.parse(rule?.pattern ?? "")).toEqual({
      source: ["aws.autoscaling"],
      "detail-type": expect.arrayContaining(["EC2 Instance Launch Successful"]),
    });
    expect([...(rule?.targets.values() ?? [])]).toEqual([{ Id: "aec-topic", Arn: TOPIC }]);
  });

  test("a second run changes nothing; drift is told and mended, other targets stay", async () => {
    const { run, rules, mutations } = await withTopic();
    await run("events enable --yes");
    const before = mutations().length;
    const again = await run("events enable --yes");
    expect([again.exit, again.stdout]).toEqual([0, expect.stringContaining("nothing to change")]);
    expect(mutations().length).toBe(before);

    const [rule] = rules();
    if (rule) {
      rule.state = "DISABLED";
      rule.pattern = '{"source":["aws.ec2"]}';
      rule.targets.delete("aec-topic");
      rule.targets.set("theirs", { Id: "theirs", Arn: "arn:aws:sqs:us-east-1:012345678901:theirs" });
    }
    const drifted = await run("events status --exit-code");
    expect([drifted.exit, drifted.stdout]).toEqual([
      3,
      expect.stringContaining("pattern, is disabled, target"),
    ]);
    expect((await run("events enable --yes")).exit).toBe(0);
    expect((await run("events status --exit-code")).exit).toBe(0);
    expect([...(rules()[0]?.targets.keys() ?? [])]).toEqual(["theirs", "aec-topic"]);
  });

  test("each pattern is small enough for EventBridge, and IAM's rule is made where IAM tells", async () => {
    for (const [kind, pattern] of Object.entries(RULES))
      expect(JSON.stringify(pattern).length, kind).toBeLessThanOrEqual(2_048);
    const { aws, run } = await testAws({ regions: [REGION, "eu-west-1"] });
    await run(`${CREATE} --regions ${REGION},eu-west-1`);
    const enabled = await run(`events enable --rules iam,lambda --regions ${REGION},eu-west-1 --yes`);
    expect(enabled.exit, enabled.stderr).toBe(0);
    const made = [...aws.events.rules.values()].map(({ region, name }) => `${region} ${name}`);
    expect(made.toSorted()).toEqual([
      "eu-west-1 aec-default-lambda",
      "us-east-1 aec-default-iam",
      "us-east-1 aec-default-lambda",
    ]);
  });

  test("--cloudtrail, --config-items and --rules add their rules", async () => {
    const { run, rules } = await withTopic();
    await run("events enable --cloudtrail --config-items --rules ecs --yes");
    const names = rules().map(({ name }) => name);
    expect(names).toEqual(["aec-default-ecs", "aec-default-cloudtrail", "aec-default-config"]);
  });

  test("without the topic, or with one of another account and no role: refused, nothing made", async () => {
    const { run, mutations } = await testAws();
    const missing = await run("events enable --yes -o json");
    expect([missing.exit, missing.json()]).toMatchObject([1, { error: { code: "no-topic" } }]);
    const foreign = TOPIC.replace("012345678901", "999999999999");
    const refused = await run(`events enable --topic-arn ${foreign} --yes -o json`);
    expect([refused.exit, refused.json()]).toMatchObject([2, { error: { code: "target-role-needed" } }]);
    expect(mutations()).toEqual([]);
    const elsewhere = TOPIC.replace("us-east-1", "eu-west-1");
    const far = await run(`events enable --topic-arn ${elsewhere} --yes -o json`);
    expect([far.exit, far.json()]).toMatchObject([2, { error: { code: "bad-topic-arn" } }]);
  });

  test("a rule of somebody else is left alone by enable and by disable", async () => {
    const { run, rules, mutations } = await withTopic();
    await run("events enable --yes");
    rules()[0]?.tags.clear();
    const before = mutations().length;
    expect((await run("events enable --yes -o json")).json()).toMatchObject({ error: { code: "not-ours" } });
    const kept = await run("events disable --yes");
    expect([kept.exit, kept.stdout]).toEqual([0, expect.stringContaining("not tagged as aec's")]);
    expect(mutations().length).toBe(before);
  });

  test("two at the same moment end in one rule with one target", async () => {
    const { run, rules } = await withTopic();
    const outcomes = await Promise.all([run("events enable --yes"), run("events enable --yes")]);
    expect(outcomes.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(rules().map(({ targets }) => targets.size)).toEqual([1]);
  });

  test.each(["DescribeRule", "PutRule", "PutTargets"])(
    "interrupted at %s, the next run completes",
    async (action) => {
      const { run, aws } = await withTopic();
      aws.fault({ kind: "denied", action });
      const { exit, json } = await run("events enable --yes -o json");
      expect([exit, json()]).toMatchObject([
        4,
        { error: { code: "aws-denied", message: expect.stringContaining(action) } },
      ]);
      aws.fault(undefined);
      expect((await run("events enable --yes")).exit).toBe(0);
      expect((await run("events status --exit-code")).exit).toBe(0);
    },
  );

  test("disable leaves the account as it was, twice", async () => {
    const { run, rules, aws } = await withTopic();
    await run("events enable --cloudtrail --yes");
    expect((await run("events disable --dry-run --exit-code")).exit).toBe(3);
    expect((await run("events disable --yes")).exit).toBe(0);
    expect(rules()).toEqual([]);
    const before = aws.requests.length;
    expect((await run("events disable --yes")).stdout).toContain("No rule to delete");
    expect(aws.requests.slice(before).some(({ action }) => MUTATING.test(action))).toBe(false);
  });

  test("a template, without a call", async () => {
    const { exit, json } = await aec(
      "events enable --cloudtrail --export cloudformation -o json".split(" "),
      { env: { AWS_REGION: REGION } },
    );
    expect(exit).toBe(0);
    const { Resources } = json<{ Resources: Record<string, { Properties: { Targets: unknown[] } }> }>();
    expect(Object.keys(Resources)).toEqual(["Ruleaecdefaultautoscaling", "Ruleaecdefaultcloudtrail"]);
    expect(Resources.Ruleaecdefaultautoscaling?.Properties.Targets).toEqual([
      {
        Id: "aec-topic",
        Arn: { "Fn::Sub": expect.stringMatching(/^arn:\$\{AWS::Partition\}:sns:.*:aec-default$/) },
      },
    ]);
  });

  test("what a group's instances do is published, and nothing without the topic's policy", async () => {
    const { run, aws } = await testAws();
    await run("sns create --protocol sqs --yes");
    await run("events enable --yes");
    const published = () =>
      aws.sqs.queues
        .get("arn:aws:sqs:us-east-1:012345678901:aec-default-events")
        ?.messages.map(({ body }) => JSON.parse(JSON.parse(body).Message)["detail-type"]);
    aws.inventory.put("auto-scaling-group", REGION, autoScalingGroup("app-v001", 2));
    expect(published()).toEqual(["EC2 Instance Launch Successful", "EC2 Instance Launch Successful"]);
    aws.sns.topics.get(TOPIC)?.attributes.set("Policy", '{"Statement":[]}');
    aws.inventory.remove("auto-scaling-group", REGION, "app-v001");
    expect(published()).toHaveLength(2);
  });

  test("a topic that EventBridge could not publish to is refused", async () => {
    const { run, aws, rules } = await withTopic();
    const topic = aws.sns.topics.get(TOPIC);
    topic?.attributes.set("KmsMasterKeyId", "alias/aws/sns");
    expect((await run("events enable --yes -o json")).json()).toMatchObject({
      error: { code: "topic-encrypted" },
    });
    topic?.attributes.delete("KmsMasterKeyId");
    topic?.attributes.set("Policy", '{"Statement":[]}');
    expect((await run("events enable --yes -o json")).json()).toMatchObject({
      error: { code: "topic-closed" },
    });
    expect(rules()).toEqual([]);
  });

  test("a topic of another account: the role that publishes is let in by its policy, and stays", async () => {
    const { run, aws } = await testAws();
    const role = "arn:aws:iam::210987654321:role/events";
    await run(`sns create --protocol sqs --publisher-role ${role} --yes`);
    const again = await run("sns create --protocol sqs --yes -o json");
    expect(again.json<Enabled>().changes.every(({ action }) => action === "none")).toBe(true);
    const { Statement } = JSON.parse(aws.sns.topics.get(TOPIC)?.attributes.get("Policy") ?? "{}");
    expect(Statement.at(-1)).toMatchObject({ Sid: "aecPublishers", Principal: { AWS: [role] } });
    const foreign = TOPIC.replace("012345678901", "999999999999");
    const { exit, stderr } = await run(
      `events enable --topic-arn ${foreign} --target-role-arn ${role} --yes`,
    );
    expect([exit, stderr]).toEqual([0, expect.stringContaining("--publisher-role")]);
  });

  test("a template for a topic of another account, and a name that is too long for some rules", async () => {
    const line = `events enable --topic-arn ${TOPIC} --export cloudformation -o json`;
    expect((await aec(line.split(" "))).exit).toBe(0);
    const { run } = await testAws();
    const long = `--topic-name ${"x".repeat(51)}`;
    await run(`sns create --protocol sqs ${long} --yes`);
    expect((await run(`events enable ${long} --yes`)).exit).toBe(0);
    expect((await run(`events status ${long} --exit-code`)).exit).toBe(0);
    expect((await run(`status ${long}`)).exit).toBe(0);
    expect((await run(`events disable ${long} --yes`)).stdout).toContain("deleted rule");
  });

  test("a kind that is none", async () => {
    const { run } = await testAws();
    const { exit, stderr } = await run("events enable --rules autoscalling,ecs");
    expect([exit, stderr]).toEqual([2, expect.stringContaining('did you mean "autoscaling"')]);
  });
});
