import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { REGION, type TestSite, testSite, until } from "../helpers/site.ts";

/** A kubectl that lists services, and forwards to the sandbox's Clouddriver; it notes its arguments and its end. */
function fakeKubectl(
  site: TestSite,
  names: readonly string[],
  script = "",
): { path: string; log: () => string } {
  const directory = temporaryDirectory();
  const log = join(directory, "log");
  const services = {
    items: names.map((name) => ({ metadata: { name }, spec: { ports: [{ port: 7002 }] } })),
  };
  writeFileSync(
    join(directory, "kubectl"),
    `#!${process.execPath}
const fs = require("fs"), net = require("net");
const log = (text) => fs.appendFileSync(${JSON.stringify(log)}, text + "\\n");
log(process.argv.slice(2).join(" "));
${script}
if (process.argv.includes("get")) { console.log(${JSON.stringify(JSON.stringify(services))}); process.exit(0); }
process.on("SIGTERM", () => { log("ended"); process.exit(0); });
const server = net.createServer((from) => {
  const to = net.connect(${site.clouddriver.port}, "127.0.0.1");
  from.pipe(to).pipe(from);
  for (const socket of [from, to]) socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => console.log("Forwarding from 127.0.0.1:" + server.address().port + " -> 7002"));
`,
  );
  chmodSync(join(directory, "kubectl"), 0o755);
  return { path: directory, log: () => readFileSync(log, "utf8") };
}

const argv = ["refresh", "app-v001", "--account", "prod", "--region", REGION, "-o", "json"];

describe("--kube-namespace", () => {
  test("finds the services, forwards to each, and ends kubectl with the command", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const kubectl = fakeKubectl(site, [
      "spin-clouddriver-caching",
      "spin-clouddriver-rw",
      "spin-deck",
      "spin-gate",
    ]);
    const more = ["--kube-namespace", "spinnaker", "--kube-context", "prod"];
    const { exit, stdout, stderr } = await aec([...argv, ...more], {
      clock: site.clock,
      env: { PATH: kubectl.path, AEC_LOCK_STORE: site.redis.url },
    });
    expect(exit, stdout).toBe(0);
    expect(stderr).toContain("only its agents show");
    const lines = kubectl.log().trim().split("\n");
    expect(lines[0]).toBe("--namespace spinnaker --context prod --request-timeout=15s get services -o json");
    expect(lines.filter((line) => line.includes("port-forward"))).toHaveLength(3);
    expect(lines.join("\n")).not.toContain("deck");
    await until(() => kubectl.log().split("ended").length === 4, "all kubectl to end");
  });

  test.each<[string, string[], string, number, RegExp]>([
    ["no Clouddriver there", ["web"], "", 2, /no service of Clouddriver/],
    [
      "denied",
      ["spin-clouddriver"],
      'console.error("Error from server (Forbidden)"); process.exit(1)',
      1,
      /Forbidden/,
    ],
    ["no JSON", ["spin-clouddriver"], 'console.log("hello"); process.exit(0)', 1, /did not list services/],
    [
      "a forward that fails",
      ["spin-clouddriver"],
      'if (!process.argv.includes("get")) { console.error("pod is pending"); process.exit(1); }',
      1,
      /pod is pending/,
    ],
  ])("%s", async (_, names, script, exit, reason) => {
    const site = await testSite();
    const kubectl = fakeKubectl(site, names, script);
    const outcome = await aec([...argv, "--kube-namespace", "spinnaker"], { env: { PATH: kubectl.path } });
    expect(outcome.exit).toBe(exit);
    expect(outcome.stdout).toMatch(reason);
  });

  test("Ctrl-C while kubectl is asked: exit 130", async () => {
    const site = await testSite();
    const kubectl = fakeKubectl(
      site,
      ["spin-clouddriver"],
      "setTimeout(() => process.exit(0), 60_000); return;",
    );
    const stopper = new AbortController();
    const running = aec([...argv, "--kube-namespace", "spinnaker"], {
      env: { PATH: kubectl.path },
      signal: stopper.signal,
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    stopper.abort();
    expect((await running).exit).toBe(130);
  });

  test("doctor looks at all else where a forward fails", async () => {
    const site = await testSite();
    const pending =
      'if (!process.argv.includes("get")) { console.error("pod is pending"); process.exit(1); }';
    const kubectl = fakeKubectl(site, ["spin-clouddriver"], pending);
    const { exit, json } = await aec(["doctor", "--kube-namespace", "spinnaker", "-o", "json"], {
      env: { PATH: kubectl.path, AEC_LOCK_STORE: site.redis.url },
    });
    const { checks } = json<{ checks: { id: string; result: string; evidence?: string }[] }>();
    const of = (id: string) => checks.find((check) => check.id === id);
    expect([exit, of("clouddriver")?.evidence, of("lock-store")?.result]).toEqual([
      1,
      "pod is pending",
      "ok",
    ]);
  });

  test("init reads through a forwarded port, and does not write it", async () => {
    const site = await testSite();
    const kubectl = fakeKubectl(site, ["spin-clouddriver"]);
    const cwd = temporaryDirectory();
    const init = await aec(["init", "--kube-namespace", "spinnaker", "--yes", "-o", "json"], {
      cwd,
      env: { PATH: kubectl.path },
    });
    const { content } = init.json<{ content: string }>();
    expect([init.exit, content]).toEqual([0, expect.stringContaining('awsAccountId: "012345678901"')]);
    expect(content).not.toContain("127.0.0.1");
  });

  test("without kubectl", async () => {
    const { exit, stdout } = await aec([...argv, "--kube-namespace", "spinnaker"], {
      env: { PATH: "/nowhere" },
    });
    expect([exit, stdout]).toEqual([1, expect.stringContaining("kubectl failed")]);
  });
});
