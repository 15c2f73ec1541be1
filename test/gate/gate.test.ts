import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createCertificate } from "../../src/sandbox/aws/certificate.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { type GateOptions, hasCertificate, startGate } from "../helpers/gate.ts";
import { REGION, type TestSite, testSite } from "../helpers/site.ts";

interface Refreshed {
  items: { name: string; via: string; verdict: string; detail: string }[];
}
const PROXIES = { proxies: [{ id: "clouddriver-cache", uri: "http://spin-clouddriver:7002/cache" }] };
const scope = ["--account", "prod", "--region", REGION, "-o", "json"];

/** Runs a refresh by Gate alone: neither Clouddriver nor a lock store is known. */
async function throughGate(site: TestSite, gate: { url: string }, argv: string[], spin?: string) {
  const home = temporaryDirectory();
  if (spin !== undefined) {
    mkdirSync(join(home, ".spin"));
    writeFileSync(join(home, ".spin", "config"), spin);
  }
  const outcome = await aec(["refresh", ...argv, ...scope, "--gate-url", gate.url], {
    clock: site.clock,
    home,
  });
  const document = outcome.json<Partial<Refreshed> & { error?: object }>();
  const after = spin === undefined ? undefined : readFileSync(join(home, ".spin", "config"), "utf8");
  expect(after).toBe(spin);
  return { ...outcome, items: document.items, error: document.error };
}

describe("--via gate-proxy", () => {
  test("asks by the proxy, reads back by Gate, and proves it", async () => {
    const site = await testSite();
    const gate = await startGate(site, PROXIES);
    site.group("app-v001", 1);
    const { exit, items } = await throughGate(site, gate, ["app-v001", "--via", "gate-proxy"]);
    expect(exit).toBe(0);
    expect(items).toMatchObject([{ via: "gate-proxy", verdict: "refreshed" }]);
    expect(gate.requests).toContain("POST /proxies/clouddriver-cache/aws/ServerGroup");
    const group = { id: "sg-1", name: "web", vpcId: "vpc-1", rules: [] };
    site.aws.inventory.put("security-group", REGION, group);
    const groups = await throughGate(site, gate, ["web", "--type", "security-group", "--via", "gate-proxy"]);
    expect(groups.items).toMatchObject([{ verdict: "refreshed" }]);
  });

  test("what was right already is said only after a pass: other caches show changes no sooner", async () => {
    const site = await testSite();
    const gate = await startGate(site, PROXIES);
    site.group("app-v001", 1);
    await site.aec(["refresh", "--account", "prod"]);
    const from = site.clock.now();
    const { items } = await throughGate(site, gate, ["app-v001", "--via", "gate-proxy"]);
    expect(items).toMatchObject([{ via: "gate-proxy", verdict: "unchanged" }]);
    const passed = site.clouddriver.runs.some(
      ({ agent, startedAt }) => agent.endsWith("/ClusterCachingAgent") && startedAt >= from,
    );
    expect(passed).toBe(true);
  });

  test("without a proxy: what to write into gate.yml", async () => {
    const site = await testSite();
    const gate = await startGate(site, { proxies: [{ id: "kayenta", uri: "http://kayenta:8090" }] });
    const { exit, error } = await throughGate(site, gate, ["app-v001", "--via", "gate-proxy"]);
    expect([exit, error]).toMatchObject([2, { code: "no-proxy", hint: expect.stringContaining("proxies:") }]);
  });
});

describe("--via gate-task", () => {
  test("a task of Orca's, followed to its end", async () => {
    const site = await testSite();
    const gate = await startGate(site);
    site.group("app-v001", 1);
    const { exit, items, stderr } = await throughGate(site, gate, ["app-v001", "--via", "gate-task"]);
    expect(exit).toBe(0);
    expect(items).toMatchObject([{ via: "gate-task", verdict: "refreshed" }]);
    expect(stderr).toMatch(/task T1: RUNNING\n[\s\S]*task T1: SUCCEEDED/);
  });

  test("a success that did nothing is told apart", async () => {
    const site = await testSite();
    const gate = await startGate(site);
    const { exit, items } = await throughGate(site, gate, ["app-v404", "--via", "gate-task"]);
    expect([exit, items]).toMatchObject([1, [{ verdict: "not-handled" }]]);
  });

  const final = (status: string, context = {}, more = {}) => ({
    status,
    execution: { stages: [{ context }], ...more },
  });
  test.each<[string, object, string, RegExp]>([
    [
      "errors that Orca hides",
      final("SUCCEEDED", { "force.cache.refresh.errors": ["500"] }),
      "failed",
      /could not ask/,
    ],
    ["a short circuit", final("SUCCEEDED", { shortCircuit: true }), "failed", /gave up after 12 minutes/],
    [
      "a blocked stage",
      final("TERMINAL", {}, { cancellationReason: "Failed on startup: ad-hoc execution of type" }),
      "failed",
      /ad-hoc/,
    ],
    ["a cancelled task", final("CANCELED"), "failed", /CANCELED/],
    ["a stopped task", final("STOPPED"), "failed", /STOPPED/],
    ["one that does not end", final("RUNNING"), "stale", /still waits/],
  ])("%s", async (_, task, verdict, detail) => {
    const site = await testSite();
    const gate = await startGate(site, { task });
    const argv = ["app-v001", "--via", "gate-task", "--timeout", "5s"];
    const { items } = await throughGate(site, gate, argv);
    expect(items).toMatchObject([{ verdict, detail: expect.stringMatching(detail) }]);
  });

  test("of other kinds it says that there is no such task", async () => {
    const site = await testSite();
    const gate = await startGate(site);
    const { items } = await throughGate(site, gate, [
      "web",
      "--type",
      "security-group",
      "--via",
      "gate-task",
    ]);
    expect(items).toMatchObject([{ verdict: "failed", detail: expect.stringContaining("gate-proxy") }]);
    const subnets = await throughGate(site, gate, ["s", "--type", "subnet", "--via", "gate-task"]);
    expect(gate.requests.filter((request) => request.includes("subnet"))).toEqual([]);
    expect(subnets.items).toMatchObject([{ verdict: "not-handled" }]);
  });
});

describe("a login that ends", () => {
  test("while a task is followed: exit 4, not a wait", async () => {
    const site = await testSite();
    const gate = await startGate(site, { refusesTasks: true });
    const { exit, items } = await throughGate(site, gate, ["app-v001", "--via", "gate-task"]);
    expect([exit, items]).toMatchObject([4, [{ verdict: "failed", error: "gate-denied" }]]);
  });
});

describe("the login of spin", () => {
  const admits: Record<string, NonNullable<GateOptions["admits"]>> = {
    basic: ({ headers }) => headers.authorization === `Basic ${Buffer.from("op:s3$cret").toString("base64")}`,
    bearer: ({ headers }) => headers.authorization === "Bearer ya29",
    token: ({ headers }) => headers["x-spinnaker-token"] === "spk_1",
  };
  const auth = (text: string) => (url: string) =>
    `gate:\n  endpoint: ${url}\nauth:\n  enabled: true\n${text}`;
  test.each<[string, string, (url: string) => string]>([
    ["basic", "basic", auth("  basic: {username: op, password: $SPIN_PASSWORD}\n")],
    ["LDAP", "basic", auth("  ldap: {username: op, password: $SPIN_PASSWORD}\n")],
    ["API token", "token", auth("  apiToken: {token: spk_1}\n")],
    [
      "OAuth",
      "bearer",
      auth("  oauth2: {clientId: x, cachedToken: {access_token: ya29, expiry: '2999-01-01T00:00:00Z'}}\n"),
    ],
    ["IAP", "bearer", auth("  iap: {iapIdToken: ya29}\n")],
  ])("%s", async (_, kind, spin) => {
    const site = await testSite();
    const gate = await startGate(site, { ...PROXIES, admits: admits[kind] ?? (() => false) });
    site.group("app-v001", 1);
    const home = temporaryDirectory();
    mkdirSync(join(home, ".spin"));
    writeFileSync(join(home, ".spin", "config"), spin(gate.url));
    // The endpoint of spin serves where none is named.
    const outcome = await aec(["refresh", "app-v001", ...scope, "--via", "gate-proxy"], {
      clock: site.clock,
      home,
      env: { SPIN_PASSWORD: "s3$cret" },
    });
    expect(outcome.exit, outcome.stdout).toBe(0);
    expect(outcome.stdout + outcome.stderr).not.toMatch(/s3\$cret|spk_1|ya29/);
  });

  test("x509: a client certificate", async () => {
    const site = await testSite();
    const made = await createCertificate(Date.now());
    const cert = made.pem;
    const key = made.key.export({ type: "pkcs8", format: "pem" }).toString();
    const gate = await startGate(site, { ...PROXIES, admits: hasCertificate, tls: { cert, key } });
    site.group("app-v001", 1);
    const indented = (text: string) => text.trim().replaceAll("\n", "\n      ");
    const x509 = `  ignoreCertErrors: true\n  x509:\n    cert: |\n      ${indented(cert)}\n    key: |\n      ${indented(key)}\n`;
    const { exit, stdout } = await throughGate(
      site,
      gate,
      ["app-v001", "--via", "gate-proxy"],
      auth(x509)(gate.url),
    );
    expect(exit, stdout).toBe(0);
    // An own authority goes along with it.
    const home = temporaryDirectory();
    mkdirSync(join(home, ".spin"));
    writeFileSync(
      join(home, ".spin", "config"),
      auth(x509.replace("ignoreCertErrors: true", "ignoreCertErrors: false"))(gate.url),
    );
    writeFileSync(join(home, "ca.pem"), cert);
    const trusted = await aec(["refresh", "app-v001", ...scope, "--via", "gate-proxy"], {
      clock: site.clock,
      home,
      env: { AEC_TLS_CA: "ca.pem" },
    });
    expect(trusted.exit, trusted.stdout).toBe(0);
    const plain = await throughGate(site, gate, ["app-v001", "--via", "gate-proxy"]);
    expect([plain.exit, plain.error]).toMatchObject([1, { code: "gate-unreachable" }]);
  });

  test("is never sent to another Gate than that of spin", async () => {
    const site = await testSite();
    const seen: (string | undefined)[] = [];
    const gate = await startGate(site, {
      ...PROXIES,
      admits: ({ headers }) => seen.push(headers.authorization) > 0,
    });
    const spin = auth("  basic: {username: op, password: secret}\n")("https://gate.example.com");
    const { stderr } = await throughGate(site, gate, ["app-v001", "--via", "gate-proxy"], spin);
    expect(seen.filter(Boolean)).toEqual([]);
    expect(stderr).toContain("is for https://gate.example.com: it is not sent to");
  });

  test("no login, a token that is over, and a broken file: what to do", async () => {
    const site = await testSite();
    const gate = await startGate(site, { ...PROXIES, admits: () => false });
    const argv = ["app-v001", "--via", "gate-proxy"];
    const none = await throughGate(site, gate, argv);
    expect([none.exit, none.error]).toMatchObject([4, { code: "gate-login" }]);
    const over = auth("  oauth2: {cachedToken: {access_token: ya29, expiry: '2001-01-01T00:00:00Z'}}\n")(
      gate.url,
    );
    const old = await throughGate(site, gate, argv, over);
    expect([old.exit, old.error]).toMatchObject([4, { hint: expect.stringContaining("run spin once") }]);
    const broken = await throughGate(site, gate, argv, "auth: [secret: {");
    expect([broken.exit, broken.error]).toMatchObject([2, { code: "spin-config-invalid" }]);
    expect(broken.stdout).not.toContain("secret");
  });
});
