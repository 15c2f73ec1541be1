import { beforeEach, expect, test } from "vitest";
import { parseServerGroupName } from "../../../src/sandbox/clouddriver/frigga.ts";
import { ACCOUNT, REGION, world } from "./world.ts";

let w: Awaited<ReturnType<typeof world>>;
beforeEach(async () => {
  w = await world();
  w.inventory.put("auto-scaling-group", REGION, {
    name: "app-main-blue-v012",
    min: 1,
    max: 5,
    desired: 2,
    instanceIds: ["i-1", "i-2"],
    loadBalancers: ["alb"],
  });
  w.inventory.put("security-group", REGION, {
    id: "sg-1",
    name: "app",
    vpcId: "vpc-1",
    rules: ["10.0.0.0/8:443"],
  });
  w.inventory.put("load-balancer", REGION, {
    name: "alb",
    type: "application",
    vpcId: "vpc-1",
    scheme: "internal",
  });
  // The first runs read AWS 20 ms after the start.
  await w.clock.advance(1_000);
});

test.each([
  [
    "app-main-blue-green-v012",
    { app: "app", cluster: "app-main-blue-green", stack: "main", detail: "blue-green", sequence: 12 },
  ],
  ["app--canary-v001", { app: "app", cluster: "app--canary", detail: "canary", sequence: 1 }],
  ["app-v1", { app: "app", cluster: "app-v1", stack: "v1" }],
  ["app", { app: "app", cluster: "app" }],
])("frigga: %s", (name, moniker) => {
  expect(parseServerGroupName(name)).toEqual(moniker);
});

test("answers are JSON and carry Clouddriver's own time", async () => {
  const { status, headers, json } = await w.get("/health");
  expect([status, json]).toEqual([200, { status: "UP" }]);
  expect(headers.get("content-type")).toBe("application/json;charset=UTF-8");
  expect(headers.get("date")).toBe("Fri, 20 Nov 2026 00:00:01 GMT");
});

test("accounts: listed, expanded, one by name", async () => {
  const summary = { name: ACCOUNT, accountId: "012345678901", cloudProvider: "aws", type: "aws" };
  expect((await w.get("/credentials")).json).toEqual([expect.objectContaining(summary)]);
  expect((await w.get("/credentials")).text).not.toContain("regions");
  const regions = [expect.objectContaining({ name: REGION, deprecated: false })];
  expect((await w.get("/credentials?expand=true")).json).toMatchObject([{ ...summary, regions }]);
  expect((await w.get(`/credentials/${ACCOUNT}`)).json).toMatchObject({ ...summary, regions });
  expect(await w.get("/credentials/nobody")).toMatchObject({
    status: 404,
    json: { status: 404, error: "Not Found" },
  });
});

test("server groups: one, several, none", async () => {
  const path = `${ACCOUNT}/${REGION}/app-main-blue-v012`;
  const view = {
    name: "app-main-blue-v012",
    account: ACCOUNT,
    region: REGION,
    cluster: "app-main-blue",
    application: "app",
    asg: { minSize: 1, maxSize: 5, desiredCapacity: 2 },
    capacity: { min: 1, max: 5, desired: 2 },
    instances: [
      { name: "i-1", id: "i-1" },
      { name: "i-2", id: "i-2" },
    ],
    moniker: { app: "app", stack: "main", detail: "blue", sequence: 12 },
  };
  expect((await w.get(`/serverGroups/${path}`)).json).toMatchObject(view);
  const ids = [path.replaceAll("/", ":"), `${ACCOUNT}:${REGION}:nobody-v001`].join(",");
  expect((await w.get(`/serverGroups?ids=${ids}`)).json).toMatchObject([view]);
  expect(await w.get(`/serverGroups/${ACCOUNT}/${REGION}/nobody-v001`)).toMatchObject({
    status: 404,
    json: {
      timestamp: w.clock.now(),
      exception: expect.stringContaining("NotFoundException"),
      message: expect.any(String),
    },
  });
});

test("security groups: by id, by name, in lists", async () => {
  const base = `/securityGroups/${ACCOUNT}/aws`;
  const view = {
    id: "sg-1",
    name: "app",
    accountName: ACCOUNT,
    region: REGION,
    vpcId: "vpc-1",
    inboundRules: [
      {
        range: { ip: "10.0.0.0", cidr: "/8" },
        protocol: "tcp",
        portRanges: [{ startPort: 443, endPort: 443 }],
      },
    ],
  };
  expect((await w.get(`${base}/${REGION}/sg-1?getById=true`)).json).toMatchObject(view);
  expect((await w.get(`${base}/${REGION}/app?vpcId=vpc-1`)).json).toMatchObject(view);
  expect((await w.get(`${base}/${REGION}/app?vpcId=vpc-2`)).status).toBe(404);
  expect((await w.get(`${base}/${REGION}/sg-1`)).status).toBe(404);
  const summary = { name: "app", id: "sg-1", vpcId: "vpc-1" };
  expect((await w.get(base)).json).toEqual({ [REGION]: [summary] });
  expect((await w.get(`${base}?region=${REGION}`)).json).toEqual([summary]);
});

test("balancers: one in an array, all in a tree, 400 for an unknown provider", async () => {
  const view = {
    name: "alb",
    account: ACCOUNT,
    region: REGION,
    vpcId: "vpc-1",
    loadBalancerType: "application",
  };
  expect((await w.get(`/aws/loadBalancers/${ACCOUNT}/${REGION}/alb`)).json).toMatchObject([view]);
  expect(await w.get(`/aws/loadBalancers/${ACCOUNT}/${REGION}/gone`)).toMatchObject({
    status: 200,
    json: [],
  });
  expect((await w.get("/aws/loadBalancers")).json).toMatchObject([
    { name: "alb", accounts: [{ name: ACCOUNT, regions: [{ name: REGION, loadBalancers: [view] }] }] },
  ]);
  expect((await w.get(`/nope/loadBalancers/${ACCOUNT}/${REGION}/alb`)).status).toBe(400);
});

test("search finds by type, account and Region, page by page", async () => {
  const search = async (query: string) =>
    ((await w.get(`/search?${query}`)).json as { totalMatches: number; results: object[] }[])[0];
  expect(
    await search(`q=&type=serverGroups&cloudProvider=aws&account=${ACCOUNT}&region=${REGION}&pageSize=10000`),
  ).toMatchObject({
    totalMatches: 1,
    platform: "aws",
    results: [
      {
        type: "serverGroups",
        serverGroup: "app-main-blue-v012",
        cluster: "app-main-blue",
        application: "app",
      },
    ],
  });
  expect((await search("q=app&type=securityGroups"))?.results).toMatchObject([
    { id: "sg-1", account: ACCOUNT },
  ]);
  expect(await search("q=&pageSize=1")).toMatchObject({ totalMatches: 5, results: [{}] });
  expect((await search("q=nobody"))?.totalMatches).toBe(0);
});

test("a body that is no JSON object is 400 with an empty body; PUT is 405; unknown types have nothing pending", async () => {
  for (const body of [undefined, [], "text", "{broken"])
    expect(await w.request("POST", "/cache/aws/ServerGroup", body)).toMatchObject({ status: 400, text: "" });
  expect((await w.request("PUT", "/cache/aws/ServerGroup", {})).status).toBe(405);
  expect(await w.get("/cache/aws/Nonsense")).toMatchObject({ status: 200, json: [] });
  expect((await w.get("/nowhere")).status).toBe(404);
});

test("introspection: newest start first", async () => {
  await w.pass();
  const starts = ((await w.get("/cache/introspection")).json as { lastExecutionStartMs: number }[]).map(
    ({ lastExecutionStartMs }) => lastExecutionStartMs,
  );
  expect(starts).toEqual([...starts].sort((a, b) => b - a));
  expect(new Set(starts).size).toBe(2);
});

test("faults: a page, a 500, a broken connection, silence; then all is well again", async () => {
  w.clouddriver.fault({ answer: "html", times: 1 });
  expect(await w.get("/credentials")).toMatchObject({ status: 200, json: undefined });
  expect((await w.get("/credentials")).json).toHaveLength(1);
  w.clouddriver.fault({ answer: "error", path: /^\/cache/ });
  expect((await w.get("/cache/introspection")).status).toBe(500);
  expect((await w.get("/health")).status).toBe(200);
  w.clouddriver.fault({ answer: "refuse" });
  await expect(w.get("/health")).rejects.toThrow();
  w.clouddriver.fault({ answer: "hang" });
  await expect(fetch(`${w.clouddriver.url}/health`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
  w.clouddriver.fault(undefined);
  expect((await w.get("/health")).status).toBe(200);
});

test("a hanging request does not keep close() from ending, and a signal stops the node", async () => {
  const controller = new AbortController();
  const other = await w.start({ signal: controller.signal });
  other.fault({ answer: "hang" });
  const hanging = fetch(`${other.url}/health`);
  await w.clock.advance(20);
  controller.abort();
  await expect(hanging).rejects.toThrow();
  await other.close();
});
