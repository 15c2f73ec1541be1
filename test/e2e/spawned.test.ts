import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, testSite, until } from "../helpers/site.ts";

const TOPIC = `arn:aws:sns:${REGION}:012345678901:aec-default`;
const BIN = resolve(import.meta.dirname, "../../bin/aec.js");

function start(argv: readonly string[], env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [BIN, ...argv], {
    env: {
      PATH: process.env.PATH ?? "",
      HOME: temporaryDirectory(),
      AWS_EC2_METADATA_DISABLED: "true",
      ...env,
    },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return { child, output, exit: once(child, "exit").then(([code]) => code as number | null) };
}

describe("the program", () => {
  test("--help and --version on stdout, exit 0; a wrong option on stderr, exit 2", () => {
    const run = (...argv: string[]) => spawnSync(process.execPath, [BIN, ...argv], { encoding: "utf8" });
    expect(run("--help")).toMatchObject({
      status: 0,
      stderr: "",
      stdout: expect.stringContaining("aec demo"),
    });
    expect(run("--version")).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(run("instal")).toMatchObject({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining("Did you mean install"),
    });
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining("Usage: aec") });
  });

  test("Ctrl-C while waiting: exit 130, at once", async () => {
    const site = await testSite();
    site.clouddriver.fault({ answer: "hang" });
    const { child, exit, output } = start(["refresh", "--account", "prod"], site.env);
    await new Promise((done) => setTimeout(done, 500));
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    expect(output.stderr).toContain("interrupted");
  });
});

describe("aec serve as a process", () => {
  test("kill -9 between receipt and refresh loses nothing: the redelivered message is applied", async () => {
    const site = await testSite({ clock: systemClock(10) });
    const topicArn = `arn:aws:sns:${REGION}:${site.aws.accountId}:aec-default`;
    const serve = (port: string) =>
      start(
        ["serve", "--listen", `127.0.0.1:${port}`, "--admin-listen", "off", "--topic-arn", topicArn],
        site.env,
      );

    const first = serve("0");
    await until(() => first.output.stdout.includes("\n"), "the first serve");
    const { notify } = JSON.parse(first.output.stdout) as { notify: string };
    const created = await site.aec(["sns", "create", "--endpoint", notify, "--yes", "-o", "json"]);
    expect(created.exit, created.stderr + first.output.stderr).toBe(0);
    site.aws.config.enable(REGION, topicArn);

    // The agent's lock is taken by a node that died: serve waits for it, with the message in its hands.
    const agent = `prod/${REGION}/ClusterCachingAgent`;
    await site.clock.sleep(15_000);
    site.redis.keyspace.set(agent, "192.0.2.9:1@dead", { px: 300_000 });
    site.group("app-v001", 2);
    const cached = () => site.clouddriver.cache.get("auto-scaling-group", "prod", REGION, "app-v001");
    await new Promise((done) => setTimeout(done, 300));
    expect(cached()).toBeUndefined();
    first.child.kill("SIGKILL");
    await first.exit;
    expect(first.output.stderr).not.toContain('"outcome":"applied"');

    site.redis.keyspace.del(agent);
    const second = serve(new URL(notify).port);
    await until(() => second.output.stderr.includes('"outcome":"applied"'), "the redelivery to be applied");
    expect(cached()?.desired).toBe(2);
    const attempts = () => site.aws.sns.deliveries.filter(({ type }) => type === "Notification");
    await until(() => attempts().at(-1)?.status === 200, "its acknowledgement");
    expect(attempts()[0]?.status).toBeUndefined();
    expect(new Set(attempts().map(({ messageId }) => messageId)).size).toBe(1);

    second.child.kill("SIGTERM");
    expect(await second.exit).toBe(0);
  });

  test("kill -9, and SIGTERM, while it holds agents: its locks end within a minute", async () => {
    const site = await testSite({ clock: systemClock() });
    const own = () =>
      site.redis.keyspace.keys().filter((key) => site.redis.keyspace.get(key)?.startsWith("aec:"));
    const env = { ...site.env, AEC_SERVE_TOKEN: "token" };
    const serving = async () => {
      const argv = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--topic-arn", TOPIC];
      const process = start(["serve", ...argv], env);
      await until(() => process.output.stdout.includes("\n"), "serve");
      const { admin } = JSON.parse(process.output.stdout) as { admin: string };
      const hold = ["polling", "hold", "prod/**", "--for", "10m", "--reason", "test", "--serve-url", admin];
      const held = await site.aec([...hold, "--yes"], { env });
      expect(held.exit, held.stdout + held.stderr).toBe(0);
      await until(() => own().length > 3, "agents to be held");
      return process;
    };

    const killed = await serving();
    killed.child.kill("SIGKILL");
    await killed.exit;
    expect(own().length).toBeGreaterThan(3);
    for (const key of own()) expect(site.redis.keyspace.pttl(key), key).toBeLessThanOrEqual(60_000);
    expect(own().every((key) => site.redis.keyspace.pttl(key) > 0)).toBe(true);

    const stopped = await serving();
    stopped.child.kill("SIGTERM");
    expect(await stopped.exit).toBe(0);
    expect(own().filter((key) => site.redis.keyspace.pttl(key) > 60_000)).toEqual([]);
  });
});
