import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startClouddriver } from "../../src/sandbox/clouddriver/server.ts";
import { createKeyspace } from "../../src/sandbox/redis/keyspace.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { testAws } from "../helpers/aws.ts";
import { REGION, serve, testSite, until } from "../helpers/site.ts";

interface Report {
  checks: { id: string; result: string; reason: string; evidence?: string; fix?: string; region?: string }[];
}
const results = (report: Report) => Object.fromEntries(report.checks.map(({ id, result }) => [id, result]));

describe("aec doctor", () => {
  test("a site that is set up: nothing fails, nothing is changed", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: { AEC_SERVE_TOKEN: "t" } });
    const cwd = temporaryDirectory();
    writeFileSync(
      join(cwd, "aec.yml"),
      `version: 1\nenvironments:\n  default:\n    notify: { endpoint: "${serving.notify}" }\n    serve: "${serving.admin}"\n`,
    );
    const run = (line: string) => site.aec(line.split(" "), { cwd, env: { AEC_SERVE_TOKEN: "t" } });
    await run("sns create --yes");
    await run("recorder enable --bucket b --yes");
    await run("events enable --yes");
    const before = site.aws.requests.length;
    const { exit, json, stdout } = await run("doctor -o json");
    expect(exit, stdout).toBe(0);
    expect(results(json<Report>())).toEqual({
      identity: "ok",
      topic: "ok",
      "topic.policy": "ok",
      "topic.signature": "ok",
      "dead-letter-queue": "ok",
      subscription: "ok",
      undelivered: "ok",
      recorder: "ok",
      channel: "ok",
      rules: "ok",
      endpoint: "ok",
      clouddriver: "ok",
      "lock-store": "ok",
      serve: "ok",
      events: "warning",
      scheduler: "ok",
      agents: "ok",
      clock: "ok",
      files: "skipped",
    });
    const called = site.aws.requests.slice(before).map(({ action }) => action);
    expect(called.filter((action) => !/^(Get|List|Describe)/.test(action))).toEqual([]);
    expect(called.filter((action) => action === "DescribeDeliveryChannels")).toHaveLength(1);
    const status = await run("status");
    expect(status.stdout).toMatch(
      /topic .*exists\nsubscription .*confirmed\nqueue .*\nrule .*enabled\ndelivery channel/,
    );
  });

  test("--synthetic: a message goes the whole way, and tells each hop; the last event is told", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: { AEC_SERVE_TOKEN: "t" } });
    const env = { AEC_SERVE_TOKEN: "t", AEC_SERVE_URL: serving.admin };
    expect((await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"])).exit).toBe(0);
    expect((await site.aec(["events", "enable", "--yes"])).exit).toBe(0);
    site.group("app-v001", 1);
    await until(() => serving.log().some(({ outcome }) => outcome === "applied"), "the event");
    const doctor = async () => {
      const { json } = await site.aec(["doctor", "--synthetic", "-o", "json"], { env });
      return new Map(json<Report>().checks.map((check) => [check.id, check]));
    };
    const checks = await doctor();
    expect(checks.get("chain")).toMatchObject({
      result: "ok",
      reason: expect.stringMatching(
        /published after .*, received after .*, verified after .*, decided after/,
      ),
    });
    expect(checks.get("events")).toMatchObject({ result: "ok", reason: expect.stringContaining("ago") });
    site.aws.fault({ kind: "denied", action: "Publish" });
    expect((await doctor()).get("chain")).toMatchObject({ result: "failure" });
  });

  test("--fix: runs what loses nothing, says what it could not do, and looks again", async () => {
    const site = await testSite();
    const cwd = temporaryDirectory();
    const serving = await serve(site);
    writeFileSync(
      join(cwd, "aec.yml"),
      `version: 1\nenvironments:\n  default:\n    notify: { endpoint: "${serving.notify}" }\n`,
    );
    const run = (line: string) => site.aec(line.split(" "), { cwd });
    await run("sns create --yes");
    await run("events enable --rules autoscaling,ec2 --yes");
    const untouched = await run("doctor --fix -o json");
    expect(untouched.json()).toMatchObject({ fixed: [] });
    const topic = `arn:aws:sns:${REGION}:${site.aws.accountId}:aec-default`;
    const dead = `arn:aws:sqs:${REGION}:${site.aws.accountId}:aec-default-dlq`;
    const agent = "prod/us-east-1/LambdaCachingAgent";
    site.aws.sns.topics.get(topic)?.attributes.set("Policy", '{"Statement":[]}');
    for (const rule of site.aws.events.rules.values()) rule.state = "DISABLED";
    site.aws.sqs.sendFromTopic(dead, "{}", topic);
    site.redis.keyspace.set(agent, "10.0.0.9:1@gone", { px: 150_000 });

    const refused = await run("doctor --fix --no-input -o json");
    const { fixed: asked } = refused.json<{ fixed: { command: string; problem: string }[] }>();
    expect(refused.exit).toBe(1);
    expect(asked.map(({ problem }) => problem)).toEqual(
      Array.from({ length: 4 }, () => expect.stringMatching(/Nobody can be asked|does not let EventBridge/)),
    );
    const mended = await run("doctor --fix --yes -o json");
    expect(mended.json<{ fixed: object[] }>().fixed).toEqual([
      { command: `aec sns create --regions ${REGION}`, problem: null },
      { command: `aec events enable --regions ${REGION} --rules autoscaling,ec2`, problem: null },
      { command: "aec agents free", problem: null },
      { command: `aec sns redrive --regions ${REGION}`, problem: null },
    ]);
    expect(results(mended.json<Report>())).toMatchObject({
      "topic.policy": "ok",
      rules: "ok",
      undelivered: "ok",
      agents: "ok",
    });
    expect([...site.aws.events.rules.values()].map(({ state }) => state)).toEqual(["ENABLED", "ENABLED"]);
  });

  test("--fix takes no publisher away that somebody gave, and makes no dead-letter queue that nobody wanted", async () => {
    const { run, aws } = await testAws();
    const topic = "arn:aws:sns:us-east-1:012345678901:aec-default";
    await run("sns create --protocol sqs --source-account 999999999999 --source-account 012345678901 --yes");
    const cwd = temporaryDirectory();
    writeFileSync(
      join(cwd, "aec.yml"),
      'version: 1\nenvironments:\n  default:\n    accounts: [ { name: prod, awsAccountId: "012345678901" } ]\n',
    );
    const fixed = await run("doctor --fix --protocol sqs --yes -o json", { cwd });
    expect(fixed.json()).toMatchObject({ fixed: [] });
    expect(aws.sns.topics.get(topic)?.attributes.get("Policy")).toContain("999999999999");
    expect(results(fixed.json<Report>())).toMatchObject({ "topic.policy": "failure" });
    await run("sns delete --yes");
    await run("sns create --protocol sqs --no-dlq --yes");
    const again = await run("doctor --fix --protocol sqs --yes -o json");
    expect(again.json()).toMatchObject({ fixed: [] });
  });

  test("agents: a node that died, a scheduler that aec cannot serve, an address that runs none, clocks that differ", async () => {
    const site = await testSite();
    const doctor = async (env: Record<string, string> = {}, clock = site.clock) => {
      const { json } = await site.aec(["doctor", "-o", "json"], { env, clock });
      return new Map(json<Report>().checks.map((check) => [check.id, check]));
    };
    site.redis.keyspace.set("prod/us-east-1/LambdaCachingAgent", "10.0.0.9:1@gone", { px: 150_000 });
    expect((await doctor()).get("agents")).toMatchObject({
      result: "failure",
      reason: expect.stringContaining("blocked"),
      fix: expect.stringContaining("aec agents free"),
    });
    const later = { ...site.clock, now: () => site.clock.now() + 120_000 };
    expect((await doctor({}, later)).get("clock")).toMatchObject({
      result: "warning",
      reason: expect.stringContaining("apart"),
    });
    const empty = await startClouddriver({
      clock: site.clock,
      inventory: site.aws.inventory,
      keyspace: createKeyspace(site.clock),
      accounts: [],
      client: "empty",
    });
    onTestFinished(() => empty.close());
    expect(
      (await doctor({ AEC_CLOUDDRIVER_URL: empty.url, AEC_LOCK_STORE: "" })).get("agents"),
    ).toMatchObject({
      result: "failure",
      reason: "this Clouddriver runs no caching agent",
    });
  });

  test("status: the plugin in the target's files, by whom, and at which version", async () => {
    const { run } = await testAws();
    const profiles = temporaryDirectory();
    const path = join(profiles, "gate-local.yml");
    writeFileSync(path, "spinnaker.extensibility.plugins.Armory.AWSCATsOnEvent.enabled: false\n");
    const status = async () => {
      const { json } = await run(`status --profiles-dir ${profiles} -o json`);
      return json<{ installed: object[] }>().installed;
    };
    expect(await status()).toEqual([{ role: "gate", path, version: null, enabled: false, byAec: false }]);
    writeFileSync(path, "");
    await run(`install --profiles-dir ${profiles} --spinnaker-version 1.30.1 --yes`);
    const installed = { version: "0.2.1", enabled: true, byAec: true };
    expect(await status()).toMatchObject([
      { role: "clouddriver", ...installed },
      { role: "gate", ...installed },
    ]);
    const offline = await aec(["status", "--profiles-dir", profiles]);
    expect([offline.exit, offline.stdout, offline.stderr]).toEqual([
      0,
      expect.stringMatching(/^plugin for clouddriver: 0\.2\.1, in .*\n/),
      expect.stringContaining("AWS is not looked at: no AWS Region is named"),
    ]);
    writeFileSync(path, "a: [");
    const broken = await run(`status --profiles-dir ${profiles}`);
    expect([broken.exit, broken.stderr]).toEqual([0, expect.stringContaining("gate-local.yml")]);
  });

  test("nothing set up: each failure names the command that mends it", async () => {
    const { run } = await testAws();
    const { exit, json } = await run("doctor -o json");
    const { checks } = json<Report>();
    expect(exit).toBe(1);
    expect(results(json<Report>())).toMatchObject({
      topic: "failure",
      recorder: "warning",
      rules: "skipped",
      clouddriver: "skipped",
    });
    expect(checks.find(({ id }) => id === "topic")?.fix).toContain("aec sns create --aws-region us-east-1");
    const text = await run("doctor");
    expect(text.stdout).toMatch(
      /failure topic \(012345678901, us-east-1\): there is no topic .*\n +→ aec sns create/,
    );
    expect((await run("status")).stdout).toContain("nothing of aec here");
  });

  test("drift, undelivered messages, a stopped recorder and a foreign channel", async () => {
    const { run, aws } = await testAws();
    await run("sns create --protocol sqs --yes");
    await run("recorder enable --bucket b --yes");
    await run("events enable --yes");
    const topic = "arn:aws:sns:us-east-1:012345678901:aec-default";
    aws.sns.topics.get(topic)?.attributes.set("Policy", '{"Statement":[]}');
    aws.sqs.sendFromTopic("arn:aws:sqs:us-east-1:012345678901:aec-default-dlq", "{}", topic);
    for (const rule of aws.events.rules.values()) rule.state = "DISABLED";
    aws.config.enable("us-east-1", `${topic}-theirs`);
    const { json } = await run("doctor --protocol sqs -o json");
    expect(results(json<Report>())).toMatchObject({
      "topic.policy": "failure",
      "event-queue": "ok",
      undelivered: "warning",
      channel: "warning",
      rules: "failure",
    });
    const fixes = json<Report>()
      .checks.map(({ fix }) => fix ?? "")
      .join("\n");
    expect(fixes).toMatch(/aec sns redrive.*aec serve --topic-arn .*theirs.*aec events enable/s);
  });

  test("denied and without credentials: said as checks, the rest is still looked at", async () => {
    const { run, aws, env } = await testAws();
    aws.fault({ kind: "denied", service: "config" });
    const denied = await run("doctor -o json");
    expect(denied.exit).toBe(1);
    const recorder = denied.json<Report>().checks.find(({ id }) => id === "recorder");
    expect(recorder).toMatchObject({ result: "failure", fix: expect.stringContaining("allow config:") });
    const nobody = await aec(["doctor", "-o", "json"], { env: { ...env, AWS_ACCESS_KEY_ID: undefined } });
    expect(results(nobody.json<Report>())).toMatchObject({ identity: "failure", files: "skipped" });
  });

  test("defects of the plugin and intervals that nobody reads, in the files of the target", async () => {
    const { run } = await testAws();
    const directory = temporaryDirectory();
    const published = readFileSync(
      join(import.meta.dirname, "../fixtures/profile-08-published-halyard-snippet.yml"),
    );
    writeFileSync(join(directory, "clouddriver-local.yml"), published);
    writeFileSync(join(directory, "gate-local.yml"), "sql:\n  poll:\n    intervalSeconds: 5\n");
    const { json } = await run(`doctor --profiles-dir ${directory} -o json`);
    const { checks } = json<Report>();
    expect(results({ checks })).toMatchObject({ plugin: "failure", "plugin.version": "warning" });
    expect(checks.find(({ id }) => id === "plugin")?.fix).toContain("aec install --dry-run");
    writeFileSync(join(directory, "clouddriver-local.yml"), "a: [");
    const broken = await run(`doctor --profiles-dir ${directory} -o json`);
    expect(results(broken.json<Report>())).toMatchObject({ files: "failure" });
  });

  test("a message that cannot be published shows in the channel's health", async () => {
    const site = await testSite();
    await site.aec(["sns", "create", "--protocol", "sqs", "--yes"]);
    await site.aec(["recorder", "enable", "--bucket", "b", "--yes"]);
    site.aws.sns.topics.get(`arn:aws:sns:${REGION}:012345678901:aec-default`)?.attributes.set("Policy", "{}");
    site.group("app-v001", 1);
    await expect
      .poll(async () => {
        const { json } = await site.aec(["doctor", "--protocol", "sqs", "-o", "json"]);
        return results(json<Report>()).channel;
      })
      .toBe("failure");
  });
});
