import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withoutSecrets } from "../../src/serve/receiving/recording.ts";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const cached = (site: TestSite, name: string) =>
  site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, name);

async function connected(argv: readonly string[] = [], events = true) {
  const site = await testSite({ intervalMs: 280_000 });
  const serving = await serve(site, argv, { env: { AEC_SERVE_TOKEN: "token" } });
  const created = await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes", "-o", "json"]);
  expect(created.exit, created.stderr).toBe(0);
  const { topicArn } = created.json<{ topicArn: string }>();
  if (events) site.aws.config.enable(REGION, topicArn);
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, serving.admin), { headers: { authorization: "Bearer token" }, ...init });
  return { site, serving, topicArn, ask };
}

describe("metrics", () => {
  test("events, refreshes, latencies, refusals and certificates are counted, without a token", async () => {
    const { site, serving } = await connected();
    site.group("app-v001", 1);
    await until(() => cached(site, "app-v001") !== undefined, "the group");
    await fetch(serving.notify, { method: "POST", body: "hello" });
    const metrics = async () => (await fetch(new URL("/metrics", serving.admin))).text();
    await until(async () => (await metrics()).includes('outcome="applied"'), "the applied event");
    const text = await metrics();
    expect(text).toContain(
      'aec_events_total{source="config",type="AWS::AutoScaling::AutoScalingGroup",outcome="applied"} 1',
    );
    expect(text).toContain('aec_refreshes_total{kind="server-group",verdict="applied"} 1');
    expect(text).toContain('aec_refused_total{result="no-message"} 1');
    expect(text).toContain("aec_certificate_fetches_total 1");
    expect(text).toMatch(/aec_received_to_visible_seconds_count\{source="config"\} 1/);
    expect(text).toMatch(/aec_changed_to_visible_seconds_count\{source="config"\} 1/);
    expect(text).toContain("aec_open_messages 0");
  });

  test("heartbeats arrive by each path, and their lag is told", async () => {
    const { site, serving } = await connected(["--heartbeat", "30s"]);
    const rule = await site.aec(["events", "enable", "--rules", "heartbeat", "--yes"]);
    expect(rule.exit, rule.stderr).toBe(0);
    const metrics = async () => (await fetch(new URL("/metrics", serving.admin))).text();
    await until(
      async () => (await metrics()).includes('aec_heartbeat_lag_seconds{path="eventbridge"}'),
      "both",
    );
    expect(await metrics()).toContain('aec_heartbeat_lag_seconds{path="sns"}');
  });
});

describe("POST /refresh", () => {
  test("refreshes with verdicts that Orca can poll; what cannot be is said", async () => {
    const { site, ask } = await connected([], false);
    site.group("app-v001", 1);
    const post = (body: unknown) => ask("/refresh", { method: "POST", body: JSON.stringify(body) });
    const answer = await post({ account: "prod", region: REGION, type: "server-group", names: "app-v001" });
    let request = (await answer.json()) as { id: string; status: string; url: string; items: unknown[] };
    await until(async () => {
      request = (await (await ask(new URL(request.url).pathname)).json()) as typeof request;
      return request.status !== "RUNNING";
    }, "its end");
    expect(request).toMatchObject({
      status: "SUCCEEDED",
      items: [{ name: "app-v001", verdict: "refreshed", via: "agents" }],
    });
    expect(cached(site, "app-v001")).toBeDefined();
    const form = { account: "prod", region: "", type: "server-group", names: "" };
    expect(await (await post(form)).json()).toMatchObject({ items: [{ name: "*" }] });
    expect((await post({ account: "prdo" })).status).toBe(400);
    expect(await (await post({ account: "prod", wrong: 1 })).text()).toContain("wrong");
    expect((await post("hello")).status).toBe(400);
    expect((await ask("/refresh/00000000-0000-4000-8000-000000000000")).status).toBe(404);
    expect((await ask("/refresh", { method: "POST", headers: {} })).status).toBe(401);
  });
});

describe("POST /refresh of several replicas", () => {
  test("what one of them does another can tell of", async () => {
    const { site, serving, ask } = await connected([], false);
    const other = await serve(site, ["--listen", "127.0.0.1:0"], { env: { AEC_SERVE_TOKEN: "token" } });
    const body = JSON.stringify({ account: "prod", region: REGION, type: "vpc" });
    const { id } = (await (await ask("/refresh", { method: "POST", body })).json()) as { id: string };
    expect(other.admin).not.toBe(serving.admin);
    const headers = { authorization: "Bearer token" };
    const told = async () => (await fetch(new URL(`/refresh/${id}`, other.admin), { headers })).json();
    await until(async () => ((await told()) as { status: string }).status === "SUCCEEDED", "its end");
  });

  test("more than a few at once are put off, not refused", async () => {
    const { ask } = await connected([], false);
    const body = JSON.stringify({ account: "prod", region: REGION, type: "server-group", names: "app-v001" });
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => ask("/refresh", { method: "POST", body })),
    );
    const statuses = answers.map(({ status }) => status);
    const taken = statuses.filter((status) => status === 200).length;
    // One that is over makes room for one more.
    expect(taken).toBeGreaterThanOrEqual(20);
    expect(taken).toBeLessThan(40);
    expect(statuses.filter((status) => status === 503)).toHaveLength(40 - taken);
  });
});

describe("at start", () => {
  test("agents that have not run for long run once; with stock polling none is late", async () => {
    const site = await testSite({ intervalMs: 280_000 });
    await site.clock.sleep(70_000);
    const runs = site.clouddriver.runs.length;
    const serving = await serve(site);
    const over = () => serving.log().find(({ msg }) => msg === "the pass is over");
    await until(() => over() !== undefined, "the pass");
    expect(over()).toMatchObject({ failed: 0, why: "at start" });
    expect(site.clouddriver.runs.length - runs).toBeGreaterThanOrEqual(Number(over()?.agents));
    await serving.stop();
    const again = await serve(site);
    await site.clock.sleep(5_000);
    expect(again.log().some(({ msg }) => msg === "the pass is over")).toBe(false);
  });

  test("a pass that cannot be made is made when Clouddriver is there", async () => {
    const site = await testSite({ intervalMs: 280_000 });
    await site.clock.sleep(70_000);
    let down = true;
    const failing: typeof fetch = (input, init) =>
      down && String(input).startsWith(site.clouddriver.url)
        ? Promise.reject(new TypeError("fetch failed"))
        : fetch(input, init);
    const serving = await serve(site, [], { fetch: failing });
    const said = (text: string) => serving.log().some(({ msg }) => msg === text);
    await until(() => said("the pass could not be made"), "the first attempt");
    down = false;
    await until(() => said("the pass is over"), "the pass");
  });

  test("what could not be delivered makes a pass too, and is told", async () => {
    const { site, serving } = await connected();
    await site.clock.sleep(70_000);
    const dlq = `arn:aws:sqs:${REGION}:${site.aws.accountId}:aec-default-dlq`;
    site.aws.sqs.sendFromTopic(dlq, "{}", `arn:aws:sns:${REGION}:${site.aws.accountId}:aec-default`);
    const told = () => serving.log().filter(({ msg }) => String(msg).includes("could not be delivered"));
    await until(() => told().length > 0, "the warning");
    expect(told()[0]).toMatchObject({ waiting: 1 });
    await until(() => serving.log().some(({ why, failed }) => why === dlq && failed === 0), "the pass");
  });
});

describe("--record and event replay", () => {
  test("what was recorded can be replayed against another Spinnaker, at its pace", async () => {
    const file = join(temporaryDirectory(), "events.jsonl");
    const { site, serving } = await connected(["--record", file]);
    site.group("app-v001", 1);
    site.group("app-v002", 2);
    await until(
      () => serving.log().filter(({ outcome }) => outcome === "applied").length === 2,
      "both applied",
    );
    await serving.stop();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ outcome }) => outcome === "applied")).toHaveLength(2);
    expect(text).not.toContain("Action=ConfirmSubscription");

    const other = await testSite({ intervalMs: 280_000, aws: site.aws });
    other.group("app-v001", 4);
    const replayed = await other.aec(["event", "replay", file, "--speed", "10", "-o", "json"]);
    expect(replayed.exit, replayed.stderr + replayed.stdout).toBe(0);
    const settled = replayed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(settled.map(({ work }) => work[0]?.name).toSorted()).toEqual(["app-v001", "app-v002"]);
    expect(cached(other, "app-v001")?.desired).toBe(4);
    const explained = await other.aec(["event", "explain", file, "--verify-signature", "-o", "json"]);
    expect(explained.stdout).toContain('"result":"valid"');
  });

  test.runIf(existsSync("/dev/full"))("on a full disk messages are settled all the same", async () => {
    const { site, serving } = await connected(["--record", "/dev/full"]);
    site.group("app-v001", 1);
    await until(() => serving.log().some(({ outcome }) => outcome === "applied"), "the event");
    const failures = () => serving.log().filter(({ msg }) => msg === "a message is not recorded");
    expect(failures().length).toBeGreaterThan(0);
    const answered = () => site.aws.sns.deliveries.filter(({ type }) => type === "Notification");
    await until(() => answered().length > 0, "its answer");
    expect(answered()).toMatchObject([{ status: 200 }]);
  });

  test("a file that cannot be written is told at the start; one that cannot be replayed too", async () => {
    const site = await testSite();
    const refused = await site.aec(["serve", "--listen", "127.0.0.1:0", "--record", "none/x.jsonl"]);
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("cannot write")]);
    expect(existsSync("none")).toBe(false);
    expect((await site.aec(["event", "replay", "none.jsonl"])).exit).toBe(2);
    const failing = await site.aec(["event", "replay", "-", "-o", "json"], {
      input: '{"source":"aws.ec2"}',
      env: { AEC_CLOUDDRIVER_URL: "http://127.0.0.1:9" },
    });
    expect(failing.stdout).toContain('"outcome":"ignored"');
  });

  test("property: secrets never stay, and what has none stays byte for byte", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{12,20}$/).map((text) => `s3cr3t${text}`);
    const key = fc.constantFrom(
      "Token",
      "SubscribeURL",
      "password",
      "userData",
      "clientSecret",
      "environment",
    );
    fc.assert(
      fc.property(key, secret, fc.jsonValue(), (name, value, other) => {
        const inner = { configuration: JSON.stringify({ [name]: value, other }) };
        const body = JSON.stringify({ Type: "Notification", Message: JSON.stringify(inner) });
        expect(withoutSecrets(body)).not.toContain(value);
        const plain = JSON.stringify({ Message: JSON.stringify({ name: "app", n: 1 }) });
        expect(withoutSecrets(plain)).toBe(plain);
      }),
    );
  });
});

describe("event explain --table", () => {
  test("prints the table that serve decides by", async () => {
    const site = await testSite();
    const { exit, stdout, json } = await site.aec(["event", "explain", "--table", "-o", "json"]);
    expect(exit, stdout).toBe(0);
    const { rows } = json<{ rows: { event: string; kind: string | null; agents: string[] }[] }>();
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.find(({ event }) => event === "AWS::IAM::Role")).toMatchObject({
      kind: "iam-role",
      agents: ["ACCOUNT/IamRoleCachingAgent"],
    });
    const text = (await site.aec(["event", "explain", "--table"])).stdout;
    expect(text).toContain("not if   a steady state");
    expect((await site.aec(["event", "explain"])).exit).toBe(2);
  });
});
