import { describe, expect, test } from "vitest";
import type { PlainKind } from "../../src/sandbox/aws/inventory.ts";
import { REGION, type TestSite, testSite, until } from "../helpers/site.ts";

interface Refreshed {
  items: {
    provider: string;
    type: string;
    account: string;
    region: string;
    name: string;
    via: string;
    verdict: string;
    detail: string;
  }[];
}
const ECS = { name: "prod-ecs", accountId: "012345678901", regions: [REGION], provider: "ecs" as const };
const ALONE = { env: { AEC_LOCK_STORE: "" } };
const QUIET = { intervalMs: 280_000 };

/** Refreshes and tells the verdicts by name. */
async function refresh(site: TestSite, argv: string[], options = {}) {
  const outcome = await site.aec(["refresh", ...argv, "-o", "json"], options);
  const { items = [] } = outcome.json<Partial<Refreshed>>();
  return {
    exit: outcome.exit,
    items,
    verdicts: items.map(({ name, verdict }) => `${name} ${verdict}`),
    output: outcome.stdout,
  };
}

describe("every kind by its agent", () => {
  const plain: [PlainKind, string][] = [
    ["image", "ami-0123456789abcdef0"],
    ["subnet", "subnet-1"],
    ["vpc", "vpc-1"],
    ["key-pair", "deploy"],
    ["elastic-ip", "192.0.2.1"],
    ["stack", "arn:aws:cloudformation:us-east-1:012345678901:stack/shop/1"],
    ["function", "arn:aws:lambda:us-east-1:012345678901:function:shop-api"],
  ];
  test.each(plain)("%s: new, unchanged, gone", async (kind, id) => {
    const site = await testSite({ ...QUIET, features: ["lambda", "cloud-formation"] });
    const argv = [id, "--account", "prod", "--region", REGION, "--type", kind];
    site.aws.inventory.put(kind, REGION, { id, name: id, state: "new" });
    expect((await refresh(site, argv)).verdicts).toEqual([`${id} refreshed`]);
    expect((await refresh(site, argv)).verdicts).toEqual([`${id} unchanged`]);
    site.aws.inventory.remove(kind, REGION, id);
    expect((await refresh(site, argv)).verdicts).toEqual([`${id} evicted`]);
    const again = await refresh(site, argv);
    expect([again.exit, again.verdicts]).toEqual([1, [`${id} not-handled`]]);
  });

  test("instances come with their agent; what is cached of all is counted", async () => {
    const site = await testSite(QUIET);
    site.group("app-main-v001", 2);
    const { items } = await refresh(site, ["--account", "prod", "--type", "instance"]);
    expect(items).toMatchObject([{ name: "*", verdict: "refreshed", detail: "2 cached, 2 new, 0 gone" }]);
    const id = site.aws.inventory.get("auto-scaling-group", REGION, "app-main-v001")?.instanceIds[0] ?? "";
    const scope = ["--account", "prod", "--region", REGION, "--type", "instance"];
    expect((await refresh(site, [id, ...scope])).verdicts).toEqual([`${id} unchanged`]);
  });

  test("where Clouddriver shows nothing of a kind, or only its presence, no more is claimed", async () => {
    const site = await testSite(QUIET);
    const scope = ["--account", "prod", "--region", REGION, "--type"];
    const { items } = await refresh(site, ["lt-1", ...scope, "launch-template"]);
    expect(items).toMatchObject([
      { verdict: "refreshed", detail: expect.stringContaining("shows nothing to compare") },
    ]);
    const { inventory } = site.aws;
    inventory.put("target-group", REGION, { id: "shop", name: "shop", state: "" });
    expect((await refresh(site, ["shop", ...scope, "target-group"])).verdicts).toEqual(["shop not-handled"]);
  });

  test("roles belong to the whole account", async () => {
    const site = await testSite({ ...QUIET, features: ["lambda"], regions: [REGION, "eu-west-1"] });
    const role = { id: "arn:aws:iam::012345678901:role/shop", name: "shop", state: "" };
    site.aws.inventory.put("iam-role", "global", role);
    const { items, output } = await refresh(site, ["shop", "--account", "prod", "--type", "iam-role"]);
    expect(items, output).toMatchObject([{ region: "global", verdict: "refreshed" }]);
  });

  test("an agent that Clouddriver does not have is told within seconds, and left out of everything", async () => {
    const site = await testSite(QUIET);
    const { exit, items } = await refresh(site, [
      "fn",
      "--account",
      "prod",
      "--region",
      REGION,
      "--type",
      "function",
    ]);
    expect(exit).toBe(1);
    expect(items).toMatchObject([
      { verdict: "not-handled", detail: expect.stringContaining("LambdaCachingAgent") },
    ]);
    const all = await refresh(site, ["--account", "prod"]);
    expect(all.exit, all.output).toBe(0);
    expect(all.items.map(({ type }) => type)).not.toContain("function");
  });
});

describe("ECS", () => {
  const service = (site: TestSite, name: string, state = "1 of 1") =>
    site.aws.inventory.put("ecs-service", REGION, { id: name, name, state });

  test("by agents: clusters first, then services, then task definitions; proven by the service", async () => {
    const site = await testSite({ ...QUIET, accounts: [ECS] });
    await until(() => site.clouddriver.runs.length >= 25, "the ECS agents");
    service(site, "shop");
    const before = site.clouddriver.runs.length;
    const { exit, verdicts, output } = await refresh(site, ["shop", "--account", "prod-ecs"]);
    expect([exit, verdicts], output).toEqual([0, ["shop refreshed"]]);
    const ran = site.clouddriver.runs.slice(before).map(({ agent }) => agent.split("/")[2]);
    expect(ran[0]).toBe("EcsClusterCachingAgent");
    expect(ran.indexOf("TaskDefinitionCachingAgent")).toBeGreaterThan(ran.indexOf("ServiceCachingAgent"));
  });

  test("on demand: asked twice, since one agent reads what another has just cached", async () => {
    const site = await testSite({ ...QUIET, accounts: [ECS] });
    service(site, "shop");
    const posts: string[] = [];
    const watching: typeof fetch = (input, init) => {
      if (init?.method === "POST") posts.push(new URL(String(input)).pathname);
      return fetch(input, init);
    };
    const argv = ["shop", "--account", "prod-ecs", "--region", REGION];
    const { verdicts } = await refresh(site, argv, { ...ALONE, fetch: watching });
    expect(verdicts).toEqual(["shop refreshed"]);
    expect(posts).toEqual(["/cache/ecs/ServerGroup", "/cache/ecs/ServerGroup"]);
  });

  test("--provider: all accounts of one", async () => {
    const site = await testSite({ ...QUIET, accounts: [ECS] });
    await until(() => site.clouddriver.runs.length >= 25, "the ECS agents");
    const { items } = await refresh(site, ["--provider", "ecs"]);
    expect(items.map(({ account, type }) => [account, type])).toEqual([["prod-ecs", "ecs-service"]]);
  });
});

describe("an application", () => {
  test("everything that is cached of it, in every account and Region, and nothing else", async () => {
    const site = await testSite({ regions: [REGION, "eu-west-1"] });
    const { inventory } = site.aws;
    site.group("shop-main-v001", 1);
    site.group("shopping-v001", 1);
    inventory.put("load-balancer", "eu-west-1", {
      name: "shop-front",
      type: "application",
      vpcId: "vpc-1",
      scheme: "internal",
    });
    inventory.put("security-group", REGION, { id: "sg-1", name: "shop", vpcId: "vpc-1", rules: [] });
    await until(() => site.clouddriver.runs.length >= 30, "both Regions");
    await refresh(site, ["--account", "prod"]);
    const { items, output } = await refresh(site, ["--application", "Shop"]);
    expect(items.map(({ type, region, name }) => `${type} ${region} ${name}`).toSorted(), output).toEqual([
      "load-balancer eu-west-1 shop-front",
      `security-group ${REGION} sg-1`,
      `server-group ${REGION} shop-main-v001`,
    ]);
    const narrowed = await refresh(site, ["--application", "shop", "--region", "eu-west-1"]);
    expect(narrowed.items.map(({ name }) => name)).toEqual(["shop-front"]);
    const unknown = await refresh(site, ["--application", "nothing"]);
    expect([unknown.exit, unknown.output]).toEqual([2, expect.stringContaining("unknown-application")]);
  });
});

describe("wrong use", () => {
  test.each([
    [["--account", "prod", "--provider", "ecs"], /account-of-other-provider/],
    [["--account", "prod", "--type", "ecs-service"], /account-of-other-provider/],
    [["--provider", "aws", "--type", "ecs-service"], /type-of-other-provider/],
    [["x", "--application", "shop"], /names-and-application/],
    [["--application", "shop", "--type", "subnet"], /not-by-application/],
    [["--region", "us-east-2"], /unknown-region.*us-east-1/],
    [["--account", "prod", "--rate", "0"], /bad-number.*--rate/],
    [["--account", "prod", "--concurrency", "1.5"], /bad-number.*--concurrency/],
  ])("%j", async (argv, reason) => {
    const site = await testSite({ accounts: [ECS] });
    const { exit, output } = await refresh(site, argv);
    expect(output.replaceAll("\n", " ")).toMatch(reason);
    expect(exit).toBe(2);
  });
});
