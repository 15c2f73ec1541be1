import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { REGION, serve, testSite, until } from "../helpers/site.ts";

const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-prod";
const QUEUE = "https://sqs.us-east-1.amazonaws.com/012345678901/aec-prod-events";
const ENDPOINT = ["--endpoint", "https://gate.example.com/aws/notify", "--topic-arn", TOPIC];
const CLOUDDRIVER = ["--clouddriver-url", "rw=http://spin-clouddriver-rw:7002"];

interface Document {
  kind: string;
  spec: Record<string, never> & { template: { spec: { containers: { args: string[] }[] } } };
}
const documents = (text: string): Document[] => {
  const parsed = parseAllDocuments(text);
  return "empty" in parsed ? [] : parsed.map((document) => document.toJS() as Document);
};

describe("aec manifests", () => {
  test("printed: everything for an endpoint, and less for a queue alone", async () => {
    const { exit, stdout } = await aec(["manifests", ...CLOUDDRIVER, ...ENDPOINT]);
    expect(exit).toBe(0);
    expect(documents(stdout).map(({ kind }) => kind)).toEqual([
      "ServiceAccount",
      "Deployment",
      "Service",
      "NetworkPolicy",
      "PodDisruptionBudget",
      "Ingress",
      "ServiceMonitor",
    ]);
    expect(stdout).not.toMatch(/[&*]a1/);
    const queue = await aec(["manifests", ...CLOUDDRIVER, "--queue-url", QUEUE, "--no-service-monitor"]);
    const kinds = documents(queue.stdout).map(({ kind }) => kind);
    expect(kinds).not.toContain("Ingress");
    expect(kinds).not.toContain("ServiceMonitor");
    expect(queue.stdout).not.toContain("7010");
  });

  test("what it starts is what aec serve takes: every argument is one of its own", async () => {
    const site = await testSite();
    const arn = `arn:aws:sns:${REGION}:${site.aws.accountId}:aec-default`;
    const printed = await aec([
      ...["manifests", ...CLOUDDRIVER],
      ...["--endpoint", "https://gate.example.com/aws/notify", "--topic-arn", arn, "--mode", "events"],
    ]);
    const deployment = documents(printed.stdout).find(({ kind }) => kind === "Deployment");
    const [command, ...args] = deployment?.spec.template.spec.containers[0]?.args ?? [];
    expect(command).toBe("serve");
    const anywhere = args.map((arg) => (/^0\.0\.0\.0:\d+$/.test(arg) ? "127.0.0.1:0" : arg));
    expect(await serve(site, anywhere)).toMatchObject({ topics: [arn], mode: "events" });
  });

  test("written as a component: shown first, the same again changes nothing", async () => {
    const home = temporaryDirectory();
    const run = (...argv: string[]) =>
      aec(["manifests", "aec", ...CLOUDDRIVER, ...ENDPOINT, ...argv], { home });
    const dry = await run("--dry-run", "--exit-code");
    expect([dry.exit, existsSync(join(home, "aec"))]).toEqual([3, false]);
    const written = await run("--yes");
    expect(written.exit, written.stderr).toBe(0);
    expect(written.stdout).toContain("kubectl create secret generic aec-serve");
    const { resources } = parseYaml(readFileSync(join(home, "aec", "kustomization.yml"), "utf8"));
    expect(readdirSync(join(home, "aec")).toSorted()).toEqual(["kustomization.yml", ...resources].toSorted());
    expect((await run("--yes")).stdout).toContain("nothing to change");
    writeFileSync(join(home, "aec", "service.yml"), "mine: true\n");
    expect((await run("--dry-run")).stdout).toContain("-mine: true");
  });

  test.each([
    ["no Clouddriver", ENDPOINT, "no-clouddriver"],
    ["a bad queue", [...CLOUDDRIVER, "--queue-url", "queue"], "bad-queue-url"],
    ["no way in", CLOUDDRIVER, "no-way-in"],
    ["no topic", [...CLOUDDRIVER, "--endpoint", "https://gate.example.com/aws/notify"], "no-topic"],
    [
      "a bad endpoint",
      [...CLOUDDRIVER, "--endpoint", "http://gate.example.com/x", "--topic-arn", TOPIC],
      "bad-endpoint",
    ],
  ])("%s is said", async (_, argv, code) => {
    const { exit, json } = await aec(["manifests", ...argv, "-o", "json"]);
    expect([exit, json()]).toMatchObject([2, { error: { code } }]);
  });

  test("Orca's stage asks what POST /refresh takes, and understands its answer", async () => {
    const { json } = await aec(["manifests", "--webhook-stage", "--stage-role", "operators", "-o", "json"]);
    const settings = json<{
      "user-configured-url-restrictions": { allowedHostnamesRegex: string };
      webhook: { preconfigured: Record<string, string & { WRITE: string[] }>[] };
    }>();
    const [stage = {} as never] = settings.webhook.preconfigured;
    const { hostname, pathname } = new URL(stage.url ?? "");
    const allowed = new RegExp(`^(?:${settings["user-configured-url-restrictions"].allowedHostnamesRegex})$`);
    expect([allowed.test(hostname), allowed.test("example.com"), allowed.test("spin-gate")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(stage.permissions?.WRITE).toEqual(["operators"]);

    const site = await testSite({ intervalMs: 280_000 });
    site.group("app-v001", 1);
    const { admin } = await serve(site, [], { env: { AEC_SERVE_TOKEN: "token" } });
    const given: Record<string, string> = { account: "prod", region: REGION, names: "app-v001", type: "" };
    // As Orca evaluates its expressions.
    const body = (stage.payload ?? "").replaceAll(
      /\$\{parameterValues\['(\w+)'\]\}/g,
      (_, name) => given[name] ?? "",
    );
    const headers = { authorization: "Bearer token" };
    const posted = await fetch(new URL(pathname, admin), { method: "POST", headers, body });
    const at = (path: string | undefined, document: Record<string, string>) => document[path?.slice(2) ?? ""];
    const statusUrl = at(stage.statusUrlJsonPath, (await posted.json()) as Record<string, string>) ?? "";
    await until(async () => {
      const answer = (await (await fetch(statusUrl, { headers })).json()) as Record<string, string>;
      return at(stage.statusJsonPath, answer) === stage.successStatuses;
    }, "the stage's end");
  });
});
