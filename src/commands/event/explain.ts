import { agentsOf, GLOBAL_REGION, isGlobal, providerOf } from "../../agents/kinds.ts";
import type { Account } from "../../clouddriver/accounts.ts";
import { createClouddriver } from "../../clouddriver/client.ts";
import type { Context } from "../../context.ts";
import { usageError } from "../../errors.ts";
import { createSigningKeys } from "../../events/certificate.ts";
import { decide } from "../../events/decide.ts";
import { isResourceEvent, type ResourceEvent } from "../../events/event.ts";
import { type Malformed, parseMessage, type SnsMessage } from "../../events/message.ts";
import { parseEvent } from "../../events/parse.ts";
import { signingHosts } from "../../events/signing-host.ts";
import { verifyMessage } from "../../events/verify.ts";
import { configuredAccounts, withConfigured } from "../../serve/configured-accounts.ts";
import { snsEndpoint } from "../../sns/endpoint.ts";
import { readCaptured } from "./captured-file.ts";

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
export async function run(
  context: Context,
  file: string | undefined,
  options: EventExplainOptions,
): Promise<undefined> {
  if (file === undefined)
    throw usageError("no-file", "no file of messages is named", { hint: "a path, - for stdin, or --table" });
  const messages = await readCaptured(context, file);
  const accounts = await knownAccounts(context);
  const verify = verifier(context, options);
  for (const { body } of messages) {
    const explanation = await explain(body, accounts, verify);
    if (context.out.format === "text") context.world.stdout.write(`${textOf(explanation)}\n`);
    else context.out.line(explanation);
  }
  return undefined;
}

/** Undefined where nobody tells: the account then stays unknown. */
async function knownAccounts(context: Context): Promise<Account[] | undefined> {
  const configured = configuredAccounts(context);
  if (context.settings.clouddriver.origin !== "not set") {
    return withConfigured(await createClouddriver(context).accounts(), configured);
  }
  return configured.length > 0 ? configured : undefined;
}

type Verify = (body: string, message: SnsMessage | Malformed) => Promise<Explanation["verification"]>;

function verifier({ fetch, world }: Context, { verifySignature }: EventExplainOptions): Verify {
  const { clock } = world;
  const endpoint = snsEndpoint(world);
  const keys = createSigningKeys(fetch, clock);
  return async (body, message) => {
    if ("reason" in message) {
      return message.isMessage
        ? { result: "invalid", reason: message.reason }
        : { result: "skipped", reason: "no SNS envelope: as EventBridge puts it into a queue" };
    }
    if (!verifySignature) return { result: "skipped", reason: "--verify-signature checks it" };
    // A captured message is of any age, and its own topic is the one that it is checked for.
    const topics = signingHosts([message.TopicArn], endpoint);
    const policy = { topics, requireVersion2: false, keys, clock, anyAge: true };
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
  const message = parseMessage(body);
  const verification = await verify(body, message);
  const nothing = (outcome: "reject" | "ignore", reason: string): Explanation => ({
    verification,
    event: null,
    decision: { outcome, reason, work: [] },
  });
  if (verification.result === "invalid") return nothing("reject", verification.reason);
  const enveloped = !("reason" in message);
  if (enveloped && message.Type !== "Notification")
    return nothing("ignore", `${message.Type}: serve answers it by itself`);
  const event = parseEvent(enveloped ? message.Message : body);
  if ("ignored" in event) return nothing("ignore", event.ignored);
  if (!isResourceEvent(event)) {
    const what = event.throttled ? "slows its account down" : "lets its account be asked as usual again";
    return nothing(
      "ignore",
      `no refresh: it ${what} in ${event.awsAccountId}/${event.region} (${event.reason})`,
    );
  }
  return { verification, event: eventOf(event), decision: decisionOf(event, accounts) };
}

function eventOf(event: ResourceEvent): Explanation["event"] {
  const { source, resourceType, awsAccountId, region, name, at } = event;
  const time = at > 0 ? new Date(at).toISOString() : null;
  return { source, type: resourceType, account: awsAccountId, region, resource: name, time };
}

function decisionOf(event: ResourceEvent, accounts: readonly Account[] | undefined): Explanation["decision"] {
  if (accounts === undefined) {
    const { type, name } = event;
    const region = isGlobal(type) ? GLOBAL_REGION : event.region;
    const work = { provider: providerOf(type), type, account: null, region, name };
    const agents = agentsOf({ type, account: "*", region });
    const reason = "the Spinnaker account is not known: add --clouddriver-url, or accounts in aec.yml";
    return { outcome: "refresh", reason, work: [{ ...work, agents }] };
  }
  const decision = decide(event, accounts);
  if (decision.outcome === "ignore") return { outcome: "ignore", reason: decision.reason, work: [] };
  const work = decision.work.map((item) => ({ ...item, agents: agentsOf(item) }));
  const told = `${event.source} says that it changed`;
  return { outcome: "refresh", reason: [told, decision.warning].filter(Boolean).join("; "), work };
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
