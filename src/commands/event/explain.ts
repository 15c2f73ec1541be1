import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { agentsOf } from "../../agents/kinds.ts";
import type { Account } from "../../clouddriver/accounts.ts";
import { createClouddriver } from "../../clouddriver/client.ts";
import type { Context } from "../../context.ts";
import { messageOf, usageError } from "../../errors.ts";
import { capturedBodies } from "../../events/captured.ts";
import { createSigningKeys } from "../../events/certificate.ts";
import { decide } from "../../events/decide.ts";
import { type Irrelevant, parseEvent, type ResourceEvent } from "../../events/event.ts";
import { parseMessage } from "../../events/message.ts";
import { verifyMessage } from "../../events/verify.ts";
import { configuredAccounts, withConfigured } from "../../serve/configured-accounts.ts";

export interface EventExplainOptions {
  /** Fetch the certificate and check the signature. */
  verifySignature?: boolean | undefined;
}

/** The JSON of one message. */
export interface Explanation {
  verification: { result: "valid" | "invalid" | "skipped"; reason: string };
  event: {
    source: string;
    type: string;
    account: string;
    region: string;
    resource: string;
    time: string | null;
  } | null;
  decision: {
    outcome: "refresh" | "ignore" | "reject";
    reason: string;
    work: {
      provider: string;
      type: string;
      /** Spinnaker's; null where neither Clouddriver nor aec.yml tells it. */
      account: string | null;
      region: string;
      name: string;
      agents: string[];
    }[];
  };
}

/** `aec event explain`: what `serve` would do with captured messages, by the same code; one line for each. */
export async function run(context: Context, file: string, options: EventExplainOptions): Promise<undefined> {
  const bodies = capturedBodies(await read(context, file));
  if (bodies.every((body) => body.trim() === ""))
    throw usageError("no-message", `there is no message in ${file === "-" ? "what was piped in" : file}`);
  const accounts = await knownAccounts(context);
  const verify = verifier(context, options);
  for (const body of bodies) {
    const explanation = await explain(body, accounts, verify);
    if (context.out.format === "text") context.world.stdout.write(`${textOf(explanation)}\n`);
    else context.out.line(explanation);
  }
  return undefined;
}

async function read({ world }: Context, file: string): Promise<string> {
  if (file === "-") {
    let text = "";
    for await (const chunk of world.stdin) text += chunk;
    return text;
  }
  try {
    return readFileSync(resolve(world.cwd, file), "utf8");
  } catch (error) {
    throw usageError("unreadable", `cannot read ${file}: ${messageOf(error)}`);
  }
}

/** Undefined where nobody tells: the account then stays unknown. */
async function knownAccounts(context: Context): Promise<Account[] | undefined> {
  const configured = configuredAccounts(context);
  if (context.settings.clouddriver.origin !== "not set") {
    return withConfigured(await createClouddriver(context).accounts(), configured);
  }
  return configured.length > 0 ? configured : undefined;
}

type Verify = (body: string) => Promise<Explanation["verification"]>;

function verifier({ fetch, world }: Context, { verifySignature }: EventExplainOptions): Verify {
  const { env, clock } = world;
  const endpoint = env.AWS_ENDPOINT_URL_SNS ?? env.AWS_ENDPOINT_URL;
  const keys = createSigningKeys(fetch, clock);
  return async (body) => {
    const message = parseMessage(body);
    if ("reason" in message) {
      return message.isMessage
        ? { result: "invalid", reason: message.reason }
        : { result: "skipped", reason: "no SNS envelope: as EventBridge puts it into a queue" };
    }
    if (!verifySignature) return { result: "skipped", reason: "--verify-signature checks it" };
    // A captured message is of any age, and its own topic is the one that it is checked for.
    const topics = new Set([message.TopicArn]);
    const policy = { topics, requireVersion2: false, endpoint, keys, clock, anyAge: true };
    const verification = await verifyMessage(body, policy);
    return verification.result === "valid"
      ? { result: "valid", reason: `signed by SNS for ${message.TopicArn}` }
      : { result: "invalid", reason: verification.reason };
  };
}

async function explain(
  body: string,
  accounts: readonly Account[] | undefined,
  verify: Verify,
): Promise<Explanation> {
  const verification = await verify(body);
  const reject = (reason: string): Explanation => ({
    verification,
    event: null,
    decision: { outcome: "reject", reason, work: [] },
  });
  if (verification.result === "invalid") return reject(verification.reason);
  const message = parseMessage(body);
  const enveloped = !("reason" in message);
  if (enveloped && message.Type !== "Notification") {
    const reason = `${message.Type}: serve answers it by itself`;
    return { verification, event: null, decision: { outcome: "ignore", reason, work: [] } };
  }
  const event = parseEvent(enveloped ? message.Message : body);
  return { verification, event: eventOf(event), decision: decisionOf(event, accounts) };
}

function eventOf(event: ResourceEvent | Irrelevant): Explanation["event"] {
  if ("ignored" in event) return null;
  const { source, resourceType, awsAccountId, region, name, at } = event;
  const time = Number.isFinite(at) ? new Date(at).toISOString() : null;
  return { source, type: resourceType, account: awsAccountId, region, resource: name, time };
}

function decisionOf(
  event: ResourceEvent | Irrelevant,
  accounts: readonly Account[] | undefined,
): Explanation["decision"] {
  if ("ignored" in event) return { outcome: "ignore", reason: event.ignored, work: [] };
  if (accounts === undefined) {
    const { type, region, name } = event;
    const work = { provider: "aws", type, account: null, region, name };
    const agents = agentsOf({ type, account: "*", region });
    const reason = "the Spinnaker account is not known: add --clouddriver-url, or accounts in aec.yml";
    return { outcome: "refresh", reason, work: [{ ...work, agents }] };
  }
  const decision = decide(event, accounts);
  if (decision.outcome === "ignore") return { outcome: "ignore", reason: decision.reason, work: [] };
  const work = decision.work.map((item) => ({ ...item, agents: agentsOf(item) }));
  return { outcome: "refresh", reason: `${event.source} says that it changed`, work };
}

function textOf({ verification, event, decision }: Explanation): string {
  const what = event
    ? `${event.type} ${event.resource} in ${event.account}/${event.region}${event.time ? ` at ${event.time}` : ""}`
    : "no change of a resource";
  return [
    `${decision.outcome}  ${what}`,
    `  signature  ${verification.result}: ${verification.reason}`,
    `  because    ${decision.reason}`,
    ...decision.work.flatMap(({ agents }) => agents.map((agent) => `  runs       ${agent}`)),
  ].join("\n");
}
