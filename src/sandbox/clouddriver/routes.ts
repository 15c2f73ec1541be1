import { UNSCALED } from "../aws/ecs.ts";
import type { PlainKind } from "../aws/inventory.ts";
import type { Account } from "./agents.ts";
import type { Cache } from "./cache.ts";
import type { Introspection } from "./introspection.ts";
import type { OnDemand } from "./ondemand.ts";
import { ecsServiceView, imageView, instanceView, plainLists } from "./plain-views.ts";
import {
  credentialsView,
  loadBalancerTree,
  loadBalancerView,
  searchView,
  securityGroupSummary,
  securityGroupView,
  serverGroupView,
} from "./views.ts";

/** An HTTP answer; without a body it is empty. */
interface Answer {
  status: number;
  body?: unknown;
}

/** What the controllers read. */
export interface Controllers {
  accounts: readonly Account[];
  cache: Cache;
  introspection: Introspection;
  onDemand: OnDemand;
  now: () => number;
}

/** From request to answer. */
export type Route = (method: string, path: string, query: URLSearchParams, body: string) => Answer;

type Params = Readonly<Record<string, string>>;
/** `body` is only there for a JSON object. */
type Handler = (params: Params, query: URLSearchParams, body: object | undefined) => Answer;

type Row = readonly [method: string, template: string, handler: Handler];

/** The controllers of Clouddriver 5.90.0 that concern the AWS cache. */
export function createRoutes(controllers: Controllers): Route {
  const { accounts, cache, introspection, onDemand, now } = controllers;
  const ok = (body: unknown): Answer => ({ status: 200, body });
  const problem = (status: number, error: string, exception: string, message: string): Answer => ({
    status,
    body: { timestamp: now(), status, error, exception, message },
  });
  const notFound = (message: string) =>
    problem(404, "Not Found", "com.netflix.spinnaker.kork.web.exceptions.NotFoundException", message);

  const serverGroup = (account: string, region: string, name: string) =>
    cache
      .all("auto-scaling-group")
      .find((entry) => entry.account === account && entry.region === region && entry.key === name);
  const plain = (kind: PlainKind, account: string, region: string, key: string) =>
    cache
      .all(kind)
      .find((entry) => entry.account === account && entry.region === region && entry.key === key);
  const securityGroups = ({ account, provider }: Params, region: string | null | undefined) =>
    cache
      .all("security-group")
      .filter(
        (entry) =>
          provider === "aws" && entry.account === account && (region ?? entry.region) === entry.region,
      );

  const balancers =
    (view: (params: Params) => unknown): Handler =>
    (params) =>
      params.provider === "aws"
        ? ok(view(params))
        : problem(400, "Bad Request", "java.lang.IllegalArgumentException", `No provider ${params.provider}`);

  const table: readonly Row[] = [
    ["GET", "/health", () => ok({ status: "UP" })],
    [
      "GET",
      "/credentials",
      (_, query) => ok(accounts.map((account) => credentialsView(account, query.get("expand") === "true"))),
    ],
    [
      "GET",
      "/credentials/:name",
      ({ name }) => {
        const account = accounts.find((one) => one.name === name);
        return account ? ok(credentialsView(account, true)) : notFound(`Account not found (name: ${name})`);
      },
    ],
    ["GET", "/cache/introspection", () => ok(introspection.list())],
    [
      "POST",
      "/cache/:provider/:type",
      ({ provider = "", type = "" }, _, body) => {
        if (!body) return { status: 400 };
        const cached = onDemand.refresh(provider, type, { ...body });
        return { status: cached ? 202 : 200, body: { cachedIdentifiersByType: cached ?? {} } };
      },
    ],
    [
      "GET",
      "/cache/:provider/:type",
      ({ provider = "", type = "" }, query) =>
        ok(onDemand.pending(provider, type, query.get("id") ?? undefined)),
    ],
    [
      "GET",
      "/serverGroups",
      (_, query) =>
        ok(
          (query.get("ids") ?? "")
            .split(",")
            .map((id) => id.split(":"))
            .flatMap(([account = "", region = "", name = ""]) => serverGroup(account, region, name) ?? [])
            .map((entry) => serverGroupView(entry, cache.all("load-balancer"))),
        ),
    ],
    [
      "GET",
      "/serverGroups/:account/:region/:name",
      ({ account = "", region = "", name = "" }) => {
        const found = serverGroup(account, region, name);
        if (found) return ok(serverGroupView(found, cache.all("load-balancer")));
        const service = plain("ecs-service", account, region, name);
        if (service && service.resource.state !== UNSCALED) {
          const targets = plain("ecs-target-health", account, region, name)?.resource;
          const task = plain("ecs-task-health", account, region, name)?.resource;
          return ok(ecsServiceView(service, { targets, task }));
        }
        return notFound(`Server group not found (account: ${account}, region: ${region}, name: ${name})`);
      },
    ],
    [
      "GET",
      "/securityGroups/:account/:provider",
      (params, query) => {
        const region = query.get("region");
        const found = securityGroups(params, region);
        if (region !== null) return ok(found.map(securityGroupSummary));
        const regions = [...new Set(found.map((entry) => entry.region))];
        return ok(
          Object.fromEntries(
            regions.map((name) => [
              name,
              found.filter((entry) => entry.region === name).map(securityGroupSummary),
            ]),
          ),
        );
      },
    ],
    [
      "GET",
      "/securityGroups/:account/:provider/:region/:nameOrId",
      (params, query) => {
        const { region, nameOrId } = params;
        const field = query.get("getById") === "true" ? "id" : "name";
        const vpcId = query.get("vpcId") ?? "*";
        const found = securityGroups(params, region).find(
          ({ resource }) => resource[field] === nameOrId && (vpcId === "*" || resource.vpcId === vpcId),
        );
        return found ? ok(securityGroupView(found)) : notFound(`Security group '${nameOrId}' does not exist`);
      },
    ],
    ["GET", "/:provider/loadBalancers", balancers(() => loadBalancerTree(cache.all("load-balancer")))],
    [
      "GET",
      "/:provider/loadBalancers/:name",
      balancers(
        ({ name }) => loadBalancerTree(cache.all("load-balancer").filter(({ key }) => key === name))[0],
      ),
    ],
    [
      "GET",
      "/:provider/loadBalancers/:account/:region/:name",
      balancers(({ account, region, name }) =>
        cache
          .all("load-balancer")
          .filter((entry) => entry.account === account && entry.region === region && entry.key === name)
          .map(loadBalancerView),
      ),
    ],
    ["GET", "/search", (_, query) => ok(searchView(cache, query))],
    [
      "GET",
      "/instances/:account/:region/:id",
      ({ account = "", region = "", id = "" }) => {
        const found = plain("instance", account, region, id);
        return found ? ok(instanceView(found)) : notFound(`Instance not found (id: ${id})`);
      },
    ],
    [
      "GET",
      "/aws/images/:account/:region/:id",
      ({ account = "", region = "", id = "" }) => {
        const found = plain("image", account, region, id);
        return found ? ok([imageView(found)]) : notFound(`${id} not found in ${account}/${region}`);
      },
    ],
    ...plainLists(cache).map(
      ({ template, answer }): Row => [
        "GET",
        template,
        ({ account }, query) =>
          ok(
            answer({
              account: account ?? query.get("account") ?? query.get("accountName"),
              region: query.get("region"),
            }),
          ),
      ],
    ),
  ];

  return (method, path, query, body) => {
    const fitting = table.flatMap(([allowed, template, handler]) => {
      const params = match(template, path);
      return params ? [{ allowed, handler, params }] : [];
    });
    const route = fitting.find(({ allowed }) => allowed === method);
    if (route) return route.handler(route.params, query, jsonObject(body));
    if (fitting.length === 0) return problem(404, "Not Found", "", "No message available");
    return problem(
      405,
      "Method Not Allowed",
      "org.springframework.web.HttpRequestMethodNotSupportedException",
      `Request method '${method}' not supported`,
    );
  };
}

function match(template: string, path: string): Params | undefined {
  const wanted = template.split("/");
  const given = path.split("/").map(decodeURIComponent);
  if (wanted.length !== given.length) return undefined;
  if (!wanted.every((part, at) => (part.startsWith(":") ? given[at] !== "" : part === given[at])))
    return undefined;
  return Object.fromEntries(
    wanted.flatMap((part, at) => (part.startsWith(":") ? [[part.slice(1), given[at] ?? ""]] : [])),
  );
}

function jsonObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
