import { randomBytes } from "node:crypto";
import { once, setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../clock.ts";
import { type AccountWorld, createAccount, type SandboxAccount } from "./account.ts";
import { arnAccount, arnRegion } from "./arn.ts";
import { type CertificateOptions, createCertificate } from "./certificate.ts";
import { awsError, isAwsError } from "./error.ts";
import { type ApiCall, type FaultRule, faultError, hits } from "./faults.ts";
import { type Input, optionalText } from "./input.ts";
import { type Answer, decodeQuery, jsonProtocol, queryProtocol } from "./protocol.ts";
import { accountOfKey } from "./sts.ts";

/** How to start a sandbox. */
export interface AwsOptions {
  clock: Clock;
  /** 12 digits; default `012345678901`, whose zero catches those who read it as a number. */
  accountId?: string;
  /** Regions the account has enabled; default all. */
  regions?: readonly string[];
  certificate?: CertificateOptions;
}

/** A running sandbox: AWS on one loopback port, seen as its first account; roles lead into others. */
export interface SandboxAws extends Omit<SandboxAccount, "services"> {
  /** Endpoint of every service in every Region, without a final slash. */
  readonly url: string;
  readonly port: number;
  readonly accountId: string;
  /** Another account; made when it is first asked for. */
  account(accountId: string): SandboxAccount;
  /** API calls received, oldest first, failed ones included. */
  readonly requests: readonly ApiCall[];
  /** What SNS signs with. */
  readonly certificate: { readonly pem: string; readonly url: string };
  /** Makes chosen API calls fail until called again; undefined ends it. */
  fault(rule: FaultRule | undefined): void;
  /** Ends the server, deliveries under way and waits; nothing is left open. */
  close(): Promise<void>;
}

const UNSIGNED_ACTIONS = ["ConfirmSubscription", "Unsubscribe"];

/** Starts an AWS account without resources on 127.0.0.1 and a free port. */
export async function startAws(options: AwsOptions): Promise<SandboxAws> {
  const { clock, accountId = "012345678901", regions } = options;
  const { pem, key } = await createCertificate(clock.now(), options.certificate);
  const closing = new AbortController();
  // Every delivery that waits for its retry listens to it.
  setMaxListeners(0, closing.signal);
  const tasks = new Set<Promise<void>>();
  const background = (run: () => Promise<void>) => {
    const task = run()
      .catch((error: unknown) => {
        // Aborted waits are how closing ends a task; anything else is a defect and must surface.
        if (!closing.signal.aborted) throw error;
      })
      .finally(() => tasks.delete(task));
    tasks.add(task);
  };

  const server = createServer((request, response) => background(() => handle(request, response)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const certificatePath = `/SimpleNotificationService-${randomBytes(16).toString("hex")}.pem`;
  const certificate = { pem, url: url + certificatePath };

  const signer = { key, certificateUrl: certificate.url };
  const world: AccountWorld = {
    clock,
    url,
    signer,
    topics: { topics: new Map(), subscriptions: new Map(), tokens: new Map(), deliveries: [] },
    queues: new Map(),
    closing: closing.signal,
    background,
  };
  const accounts = new Map<string, SandboxAccount>();
  const accountOf = (id: string): SandboxAccount => {
    const found = accounts.get(id) ?? createAccount(id, world);
    accounts.set(id, found);
    return found;
  };
  const requests: ApiCall[] = [];
  let rule: FaultRule | undefined;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = request.url === certificatePath ? certificateAnswer(pem) : await call(request, response);
    if (answer === "hang") return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async function call(request: IncomingMessage, response: ServerResponse): Promise<Answer | "hang"> {
    const body = await readBody(request);
    if (body === undefined) return "hang";
    const scope = /Credential=([^/,]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(
      request.headers.authorization ?? "",
    );
    const target = request.headers["x-amz-target"];
    const form = request.method === "GET" ? new URL(request.url ?? "/", url).search.slice(1) : body;
    const action =
      typeof target === "string"
        ? (target.split(".")[1] ?? "")
        : (new URLSearchParams(form).get("Action") ?? "");
    const json = target !== undefined;
    const refuse = (code: string, message: string) =>
      (json ? jsonProtocol("1.1") : queryProtocol("")).failure(
        awsError(json ? `${code}Exception` : code, message, 403),
      );

    if (!scope && !UNSIGNED_ACTIONS.includes(action)) {
      return request.headers.authorization
        ? refuse("IncompleteSignature", "Credential must have exactly 5 slash-delimited elements")
        : refuse("MissingAuthenticationToken", "Request is missing Authentication Token");
    }
    const name = scope?.[3] ?? "sns";
    const unsigned = scope ? "" : unsignedArn(decodeQuery(new URLSearchParams(form)));
    const region = scope?.[2] ?? arnRegion(unsigned);
    const account = scope ? (accountOfKey(scope[1] ?? "") ?? accountId) : arnAccount(unsigned);
    const service = accountOf(account || accountId).services.get(name);
    const received = { service: name, action, region, account, at: clock.now() };
    requests.push(received);
    if (!service) return refuse("UnknownService", `The sandbox has no service ${name}`);
    if (regions && !regions.includes(region)) {
      // What AWS answers in a Region that the account has not enabled.
      return refuse(json ? "UnrecognizedClient" : "InvalidClientTokenId", "The security token is invalid");
    }

    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const signal = AbortSignal.any([closing.signal, gone.signal]);
    try {
      if (rule && hits(rule, received)) {
        if (rule.kind === "hang") return "hang";
        if (rule.kind === "html") return htmlAnswer();
        throw faultError(rule.kind, received);
      }
      const handler = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
      if (!handler) throw unknownAction(action, json);
      const input = service.protocol.decode(form);
      const result = await handler({ region, input, signed: scope !== null, signal });
      return service.protocol.result(action, result);
    } catch (error) {
      if (signal.aborted) return "hang";
      const known = isAwsError(error) ? error : awsError("InternalFailure", String(error), 500);
      return service.protocol.failure(known);
    }
  }

  return {
    url,
    port,
    accountId,
    ...accountOf(accountId),
    account: accountOf,
    requests,
    certificate,
    fault(next) {
      rule = next && { ...next };
    },
    async close() {
      closing.abort(new Error("the sandbox is closing"));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await Promise.all(tasks);
    },
  };
}

/** The body, or undefined when the client goes away before its end. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function unsignedArn(input: Input): string {
  return optionalText(input, "TopicArn") ?? optionalText(input, "SubscriptionArn") ?? "";
}

function unknownAction(action: string, json: boolean) {
  return awsError(
    json ? "UnknownOperationException" : "InvalidAction",
    `The action ${action} is not valid for this web service.`,
  );
}

function certificateAnswer(pem: string): Answer {
  return { status: 200, headers: { "content-type": "application/x-pem-file" }, body: pem };
}

function htmlAnswer(): Answer {
  const body =
    "<!doctype html>\n<html><head><title>500</title></head><body>Internal Server Error</body></html>";
  return { status: 500, headers: { "content-type": "text/html" }, body };
}
