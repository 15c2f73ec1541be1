import { isDeepStrictEqual } from "node:util";

export interface Statement {
  Sid?: string;
  [key: string]: unknown;
}

export interface PolicyDocument {
  Version?: string;
  Id?: string;
  Statement: Statement[];
}

/** Statements whose Sid begins so are ours; all others belong to somebody else and stay. */
const OUR_SID = /^aec/;

/**
 * What lets AWS Config (not where no account is named), EventBridge and the roles with which EventBridge publishes from
 * other accounts publish, and nobody else.
 */
export function publisherStatements(
  topicArn: string,
  configAccounts: readonly string[],
  roles: readonly string[],
): Statement[] {
  const statement = (sid: string, service: string, condition?: object): Statement => ({
    Sid: sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action: "sns:Publish",
    Resource: topicArn,
    ...(condition && { Condition: condition }),
  });
  return [
    ...(configAccounts.length > 0
      ? [
          statement("aecConfig", "config.amazonaws.com", {
            StringEquals: { "AWS:SourceAccount": configAccounts.toSorted() },
          }),
        ]
      : []),
    // Without a condition: those are not proven to work for EventBridge targets of a topic.
    statement("aecEventBridge", "events.amazonaws.com"),
    ...(roles.length > 0
      ? [
          {
            Sid: "aecPublishers",
            Effect: "Allow",
            Principal: { AWS: roles.toSorted() },
            Action: "sns:Publish",
            Resource: topicArn,
          },
        ]
      : []),
  ];
}

/** What lets the topic send to a queue, and nobody else. */
export function senderStatement(sid: string, queueArn: string, topicArn: string): Statement {
  return {
    Sid: sid,
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
  };
}

/** Whether some statement lets a service publish; conditions are not judged. */
export function letsPublish(document: PolicyDocument, service: string): boolean {
  return document.Statement.some(({ Effect, Principal, Action }) => {
    const principal = Principal as { Service?: string | string[]; AWS?: string } | string | undefined;
    const services = typeof principal === "object" ? [principal?.Service].flat() : [];
    const actions = [Action].flat().map((action) => String(action).toLowerCase());
    return (
      Effect === "Allow" &&
      services.includes(service) &&
      actions.some((action) => ["sns:publish", "sns:*", "*"].includes(action))
    );
  });
}

/** The document with our statements in place of the ones that were there; the others keep their order. */
export function withOurStatements(document: PolicyDocument, ours: readonly Statement[]): PolicyDocument {
  return { ...document, Statement: [...document.Statement.filter(isForeign), ...ours] };
}

/** The document without our statements. */
export function withoutOurStatements(document: PolicyDocument): PolicyDocument {
  return { ...document, Statement: document.Statement.filter(isForeign) };
}

/** Whether exactly these statements of ours are there, in any order and spelling that AWS reads alike. */
export function hasOurStatements(document: PolicyDocument, ours: readonly Statement[]): boolean {
  const bySid = (a: Statement, b: Statement) => String(a.Sid).localeCompare(String(b.Sid));
  const found = document.Statement.filter((statement) => !isForeign(statement));
  return isDeepStrictEqual(found.toSorted(bySid).map(normalise), ours.toSorted(bySid).map(normalise));
}

/** The accounts that our Config statement lets in; empty without one. */
export function configAccounts(document: PolicyDocument): string[] {
  const condition = document.Statement.find(({ Sid }) => Sid === "aecConfig")?.Condition as
    | { StringEquals?: Record<string, string | string[]> }
    | undefined;
  return Object.values(condition?.StringEquals ?? {}).flat();
}

/** The roles that our statement for other accounts lets in. */
export function publisherRoles(document: PolicyDocument): string[] {
  const principal = document.Statement.find(({ Sid }) => Sid === "aecPublishers")?.Principal as
    | { AWS?: string | string[] }
    | undefined;
  return [principal?.AWS ?? []].flat();
}

/** Reads a topic's or queue's Policy attribute; an absent one is empty. */
export function parsePolicy(text: string | undefined): PolicyDocument {
  const document = text ? (JSON.parse(text) as Partial<PolicyDocument>) : {};
  const statements = document.Statement ?? [];
  return {
    Version: "2012-10-17",
    ...document,
    Statement: Array.isArray(statements) ? statements : [statements],
  };
}

function isForeign({ Sid }: Statement): boolean {
  return !OUR_SID.test(Sid ?? "");
}

/** One-element lists and their element mean the same to AWS, and it rewrites one into the other. */
function normalise(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(normalise);
    return items.length === 1 ? items[0] : items.toSorted();
  }
  if (value === null || typeof value !== "object")
    return typeof value === "string" ? value.replace(/^SNS:/, "sns:") : value;
  return Object.fromEntries(
    Object.entries(value)
      .map(
        ([key, inner]) =>
          [key.toLowerCase() === "aws:sourceaccount" ? "aws:SourceAccount" : key, normalise(inner)] as const,
      )
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}
