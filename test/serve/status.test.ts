import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/serve/telling/metrics.ts";
import type { Status } from "../../src/serve/telling/status.ts";
import { statusPage } from "../../src/serve/telling/status-page.ts";
import { REGION, serve, testSite, until } from "../helpers/site.ts";

const basic = (password: string) => `Basic ${Buffer.from(`aec:${password}`).toString("base64")}`;

describe("the status of serve", () => {
  test("as JSON and as a page: agents and why, events and how fast, the last ones", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: { AEC_SERVE_TOKEN: "token" } });
    expect((await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"])).exit).toBe(0);
    expect((await site.aec(["events", "enable", "--yes"])).exit).toBe(0);
    site.group("app-v001", 1);
    const ask = (headers: Record<string, string>) => fetch(new URL("/status", serving.admin), { headers });
    const status = async () => (await (await ask({ authorization: "Bearer token" })).json()) as Status;
    await until(async () => (await status()).last.length > 0, "the event");
    await until(async () => ((await status()).agents ?? []).length > 10, "the agents");
    expect(await status()).toMatchObject({
      last: [
        {
          type: "AWS::AutoScaling::AutoScalingGroup",
          name: "app-v001",
          outcome: "applied",
          source: "service",
        },
      ],
      latencies: [{ type: "AWS::AutoScaling::AutoScalingGroup", source: "service" }],
      savedCallsPerMinute: 0,
      watched: [],
      outcomes: { counts: { confirmed: 1, applied: 1 } },
    });
    const told = await site.aec(["status"], {
      env: { AEC_SERVE_URL: serving.admin, AEC_SERVE_TOKEN: "token" },
    });
    expect(told.stdout).toMatch(
      /topic .*exists(.|\n)*aec serve .* is ready, in mode agents; in .*: 1 confirmed, 1 applied/,
    );
    const gone = await site.aec(["status", "-o", "json"], {
      env: { AEC_SERVE_URL: "http://127.0.0.1:1", AEC_SERVE_TOKEN: "t" },
    });
    expect([gone.exit, gone.json()]).toEqual([0, expect.objectContaining({ serve: null })]);
    const page = await ask({ accept: "text/html,*/*", authorization: basic("token") });
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    const text = await page.text();
    expect(text).toContain(`<td>prod/${REGION}/ClusterCachingAgent</td><td>no</td><td>its own pace</td>`);
    expect(text).toContain("<td>app-v001</td>");
  });

  test("a browser is asked for the token; nothing but the page is given for a password", async () => {
    const site = await testSite();
    const serving = await serve(site, [], { env: { AEC_SERVE_TOKEN: "token" } });
    const ask = (path: string, headers: Record<string, string>, method = "GET") =>
      fetch(new URL(path, serving.admin), { method, headers });
    const html = { accept: "text/html" };
    const asked = await ask("/status", html);
    expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="aec serve"']);
    const answers = [
      ask("/status", { ...html, authorization: basic("wrong") }),
      ask("/status", { authorization: basic("token") }),
      ask("/polling", { ...html, authorization: basic("token") }),
      ask("/refresh", { ...html, authorization: basic("token") }, "POST"),
    ];
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  });

  test("what messages name is text on the page", () => {
    const name = `<script>alert("x")</script>'&`;
    const event = { id: "0", account: "1", region: REGION, type: name, source: "service", name };
    const page = statusPage(
      {
        version: "0.1.0",
        mode: "events",
        topics: [name],
        queues: [],
        open: 0,
        held: 0,
        slow: [],
        watched: [name],
        agents: [{ agent: name, held: true, everyMs: 300_000, reason: name }],
        savedCallsPerMinute: 0,
        outcomes: { since: 0, counts: {} },
        latencies: [{ type: name, source: name, events: 1, p50Ms: 1, p95Ms: 1 }],
        last: [{ ...event, outcome: name, reason: name, receivedAt: 0, tookMs: 1, changedMs: 1 }],
        missing: [name],
      },
      1_000,
    );
    expect(page).not.toContain("<script");
    expect(page).not.toContain(`"x"`);
    expect(page).toContain("&#60;script&#62;");
  });

  test("the Grafana dashboard uses the metrics that exist, and all of them", async () => {
    const dashboard = readFileSync("docs/grafana/aec-serve.json", "utf8");
    const used = new Set(
      [...dashboard.matchAll(/\baec_[a-z_]+/g)].map(([metric]) => metric.replace(/_bucket$/, "")),
    );
    const metrics = createMetrics({ open: () => 0, held: () => 0, slowed: () => 0 });
    const exposed = [...(await metrics.expose()).matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric);
    expect([...used].toSorted()).toEqual(exposed.toSorted());
  });
});
