import { expect, test } from "vitest";
import { startGate } from "../helpers/gate.ts";
import { REGION, serve, testSite, until } from "../helpers/site.ts";

test("what running executions work on is looked at, whatever else they say; a Gate that fails is told of once", async () => {
  const site = await testSite();
  const executions: unknown[] = [];
  let isUp = true;
  const gate = await startGate(site, { executions, admits: () => isUp });
  const token = "token";
  const serving = await serve(site, ["--mode", "events"], {
    env: { AEC_GATE_URL: gate.url, AEC_SERVE_TOKEN: token },
  });
  const watched = async () => {
    const response = await fetch(`${serving.admin}/status`, {
      headers: { accept: "application/json", authorization: `Bearer ${token}` },
    });
    return ((await response.json()) as { watched: string[] }).watched;
  };
  const groups = (names: unknown) => ({ "deploy.server.groups": names });
  executions.push(
    "no execution",
    { stages: [{ status: "RUNNING" }, null, { status: "RUNNING", context: { account: 5, region: {} } }] },
    {
      stages: [
        { status: "SUCCEEDED", context: { account: "prod", ...groups({ [REGION]: ["old-v001"] }) } },
        {
          status: "RUNNING",
          context: { account: "k8s", cloudProvider: "kubernetes", ...groups({ ns: ["x"] }) },
        },
        { status: "RUNNING", context: { account: "prod", ...groups("none yet") } },
        {
          status: "RUNNING",
          context: { account: "prod", ...groups({ [REGION]: ["web-v001", "web-v002"] }) },
        },
        { status: "RUNNING", context: { credentials: "prod", region: REGION, serverGroupName: "web-v000" } },
      ],
    },
  );
  await until(async () => (await watched()).length > 0, "the groups");
  expect((await watched()).toSorted()).toEqual(
    ["web-v000", "web-v001", "web-v002"].map((name) => `prod/${REGION}/${name}`),
  );
  const problems = () => serving.log().filter(({ msg }) => msg === "running executions are not seen");
  isUp = false;
  await until(() => problems().length > 0, "the warning");
  const asked = gate.requests.length;
  isUp = true;
  await until(() => gate.requests.length > asked, "the next question");
  expect(problems()).toEqual([expect.objectContaining({ problem: expect.stringContaining("login") })]);
});
