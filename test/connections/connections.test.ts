import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCertificate } from "../../src/sandbox/aws/certificate.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { hasCertificate } from "../helpers/gate.ts";
import { REGION, type TestSite, testSite } from "../helpers/site.ts";

const named = ["refresh", "app-v001", "--account", "prod", "--region", REGION, "-o", "json"];

/** Passes a request on to the sandbox's Clouddriver. */
const passOn =
  (site: TestSite): RequestListener =>
  async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const method = request.method ?? "GET";
    const headers = { "content-type": "application/json" };
    const answer = await fetch(site.clouddriver.url + request.url, {
      method,
      headers,
      ...(body && { body }),
    });
    const date = answer.headers.get("date") ?? "";
    response.writeHead(answer.status, { "content-type": "application/json", date }).end(await answer.text());
  };

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

describe("a Clouddriver with mutual TLS and an own authority", () => {
  async function guarded() {
    const site = await testSite();
    site.group("app-v001", 1);
    const { pem: cert, key: keyObject } = await createCertificate(Date.now());
    const key = keyObject.export({ type: "pkcs8", format: "pem" }).toString();
    const server = createTlsServer(
      { cert, key, requestCert: true, rejectUnauthorized: false },
      (request, response) =>
        hasCertificate(request) ? passOn(site)(request, response) : response.writeHead(403).end("{}"),
    );
    const url = `https://127.0.0.1:${await listen(server as unknown as ReturnType<typeof createServer>)}`;
    const home = temporaryDirectory();
    writeFileSync(join(home, "ca.pem"), cert);
    writeFileSync(join(home, "key.pem"), key);
    return { site, url, home };
  }

  test("by aec.yml", async () => {
    const { site, url, home } = await guarded();
    const tls = "tls: { ca: ca.pem, cert: ca.pem, key: key.pem }";
    writeFileSync(
      join(home, "aec.yml"),
      `version: 1\nenvironments:\n  prod:\n    clouddriver: [ "${url}" ]\n    ${tls}\n`,
    );
    const { exit, stdout } = await aec(named, {
      clock: site.clock,
      home,
      env: { AEC_LOCK_STORE: site.redis.url },
    });
    expect(exit, stdout).toBe(0);
  });

  test("by the environment; without a certificate, without the authority, with a file that is not there", async () => {
    const { site, url, home } = await guarded();
    const run = (env: Record<string, string>) =>
      aec(named, {
        clock: site.clock,
        home,
        env: { AEC_CLOUDDRIVER_URL: url, AEC_LOCK_STORE: site.redis.url, ...env },
      });
    const client = { AEC_TLS_CERT: "ca.pem", AEC_TLS_KEY: "key.pem" };
    expect((await run({ AEC_TLS_CA: "ca.pem", ...client })).exit).toBe(0);
    expect((await run({ AEC_TLS_CA: "ca.pem" })).exit).toBe(4);
    expect((await run(client)).json()).toMatchObject({ error: { code: "clouddriver-unreachable" } });
    expect((await run({ AEC_TLS_CERT: "ca.pem" })).json()).toMatchObject({
      error: { code: "certificate-incomplete" },
    });
    expect((await run({ AEC_TLS_CA: "none.pem" })).json()).toMatchObject({
      error: { code: "certificate-unreadable" },
    });
  });
});

describe("reads are tried again", () => {
  /** Answers the first requests with a status, or not at all. */
  async function flaky(site: TestSite, times: number, status: number | undefined) {
    let left = times;
    const server = createServer((request, response) => {
      left -= 1;
      if (left < 0) return passOn(site)(request, response);
      if (status === undefined) return request.socket.destroy();
      response.writeHead(status).end("{}");
    });
    return { url: `http://127.0.0.1:${await listen(server)}`, asked: () => times - left };
  }

  test.each([
    ["a gateway that finds no pod", 503],
    ["a broken connection", undefined],
  ])("%s, twice", async (_, status) => {
    const site = await testSite();
    site.group("app-v001", 1);
    const { url } = await flaky(site, 2, status);
    const env = { AEC_CLOUDDRIVER_URL: url };
    expect((await site.aec(named, { env })).exit).toBe(0);
  });

  test("no more than three times, and never for an error of Clouddriver's own", async () => {
    const site = await testSite();
    const gone = await flaky(site, 100, 502);
    const down = await site.aec(named, { env: { AEC_CLOUDDRIVER_URL: gone.url } });
    expect([down.exit, gone.asked()]).toEqual([1, 3]);
    const broken = await flaky(site, 100, 500);
    const failed = await site.aec(named, { env: { AEC_CLOUDDRIVER_URL: broken.url } });
    expect([failed.exit, broken.asked()]).toEqual([1, 1]);
  });
});

describe("a name with several addresses that a proxy routes by", () => {
  test("is asked by its name where the addresses lead nowhere", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const routed: typeof fetch = (input, init) => {
      const url = new URL(String(input));
      if (url.hostname !== "clouddriver.example.com")
        return Promise.resolve(Response.json({ error: "no route" }, { status: 404 }));
      return fetch(`${site.clouddriver.url}${url.pathname}${url.search}`, init);
    };
    const { exit, stdout } = await aec(named, {
      clock: site.clock,
      fetch: routed,
      lookup: async () => ["10.0.0.1", "10.0.0.2"].map((address) => ({ address, family: 4 })),
      env: { AEC_CLOUDDRIVER_URL: "http://clouddriver.example.com", AEC_LOCK_STORE: site.redis.url },
    });
    expect(exit, stdout).toBe(0);
  });
});

describe("a headless service", () => {
  test("is every pod behind its name: what any of them ran is known", async () => {
    const site = await testSite();
    site.group("app-v001", 1);
    const hosts: string[] = [];
    // Two pods; only the second one's memory has the runs.
    const pods: typeof fetch = (input, init) => {
      const url = new URL(String(input));
      if (url.pathname === "/cache/introspection") hosts.push(url.hostname);
      if (url.hostname === "10.0.0.1" && url.pathname === "/cache/introspection")
        return Promise.resolve(Response.json([]));
      return fetch(`${site.clouddriver.url}${url.pathname}${url.search}`, init);
    };
    const { exit, stdout } = await aec(named, {
      clock: site.clock,
      fetch: pods,
      lookup: async () => ["10.0.0.1", "10.0.0.2"].map((address) => ({ address, family: 4 })),
      env: {
        AEC_CLOUDDRIVER_URL: "http://clouddriver-caching.spinnaker:7002",
        AEC_LOCK_STORE: site.redis.url,
      },
    });
    expect(exit, stdout).toBe(0);
    expect(new Set(hosts)).toEqual(new Set(["10.0.0.1", "10.0.0.2"]));
  });
});
