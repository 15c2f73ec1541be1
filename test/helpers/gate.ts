import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import type { TestSite } from "./site.ts";

export interface GateOptions {
  /** Whether a request is let in; others are sent to a login page, as Gate does. */
  admits?: (request: IncomingMessage) => boolean;
  proxies?: readonly { id: string; uri: string }[];
  /** What becomes of a task instead of what Orca would do. */
  task?: object;
  /** What is running now; may be changed. */
  executions?: unknown[];
  /** Tasks are taken, and not shown. */
  refusesTasks?: boolean;
  tls?: { key: string; cert: string };
}

/** A Gate in front of the sandbox's Clouddriver, with as much of Orca as refreshes server groups. */
export async function startGate(site: TestSite, options: GateOptions = {}) {
  const requests: string[] = [];
  const tasks = new Map<
    string,
    { start: number; body: string; context: Record<string, unknown>; status: string }
  >();
  const clouddriver = async (path: string, init?: RequestInit) => {
    const response = await fetch(site.clouddriver.url + path, init);
    // biome-ignore lint/suspicious/noExplicitAny: a JSON document.
    return { status: response.status, body: (await response.json()) as any };
  };
  const post = (path: string, body: string) =>
    clouddriver(path, { method: "POST", body, headers: { "content-type": "application/json" } });

  async function answer(request: IncomingMessage, body: string): Promise<{ status: number; body: unknown }> {
    const { pathname, search, searchParams } = new URL(request.url ?? "/", "http://gate");
    requests.push(`${request.method} ${pathname}`);
    const [, first = "", ...rest] = pathname.split("/");
    if (first === "proxies" && rest.length === 0) return { status: 200, body: options.proxies ?? [] };
    if (first === "proxies") {
      const path = `/cache/${rest.slice(1).join("/")}`;
      return request.method === "POST" ? post(path, body) : clouddriver(path + search);
    }
    if (first === "tasks" && request.method === "POST") return submit(body);
    if (first === "tasks" && options.refusesTasks) return { status: 401, body: { error: "Unauthorized" } };
    if (first === "tasks") return { status: 200, body: await look(rest[0] ?? "") };
    if (pathname === "/applications/*/executions/search")
      return { status: 200, body: options.executions ?? [] };
    if (first === "applications") return clouddriver(`/serverGroups/${rest.slice(2).join("/")}`);
    if (first === "securityGroups") {
      const [account, region, name] = rest;
      if (name === undefined) return clouddriver(`/securityGroups/${account}/aws${search}`);
      return clouddriver(
        `/securityGroups/${account}/aws/${region}/${name}?vpcId=${searchParams.get("vpcId") ?? "*"}`,
      );
    }
    if (first === "loadBalancers") return clouddriver(`/aws/loadBalancers/${rest.join("/")}`);
    return clouddriver(pathname + search);
  }

  async function submit(body: string) {
    if (options.task) return { status: 200, body: { ref: "/tasks/T1" } };
    const [job] = JSON.parse(body).job;
    const [[region, [name]]] = Object.entries(job["deploy.server.groups"]) as [[string, [string]]];
    const start = site.clock.now();
    const group = JSON.stringify({ account: job["account.name"], region, serverGroupName: name });
    const { status } = await post("/cache/aws/ServerGroup", group);
    const id = `T${tasks.size + 1}`;
    const context = status === 202 ? { "refreshed.server.groups": [JSON.parse(group)] } : {};
    tasks.set(id, { start, body: name, context, status: status === 202 ? "RUNNING" : "SUCCEEDED" });
    return { status: 200, body: { ref: `/tasks/${id}` } };
  }

  async function look(id: string): Promise<unknown> {
    if (options.task) return options.task;
    const task = tasks.get(id);
    if (!task) return {};
    const shown = { id, status: task.status, execution: { stages: [{ context: task.context }] } };
    const { body } = await clouddriver("/cache/aws/ServerGroup");
    const record = body.find(
      ({ details }: { details: { serverGroup: string } }) => details.serverGroup === task.body,
    );
    if (task.status === "RUNNING" && record?.processedTime >= task.start) {
      task.status = "SUCCEEDED";
      task.context = {};
    }
    return shown;
  }

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    if (options.admits?.(request) === false) {
      response.writeHead(302, { location: "http://gate.example.com/login" }).end();
      return;
    }
    const found = await answer(request, body);
    // All of a Spinnaker have one time.
    response.setHeader("Date", new Date(site.clock.now()).toUTCString());
    response.writeHead(found.status, { "content-type": "application/json" }).end(JSON.stringify(found.body));
  };
  const server = options.tls
    ? createTlsServer({ ...options.tls, requestCert: true, rejectUnauthorized: false }, handle)
    : createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`, requests };
}

/** Whether a request came with a client certificate. */
export function hasCertificate({ socket }: IncomingMessage): boolean {
  return Object.keys((socket as TLSSocket).getPeerCertificate()).length > 0;
}
