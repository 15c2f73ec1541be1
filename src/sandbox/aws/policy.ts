import { asRecord, type Input, parseObject } from "./input.ts";

/** Who wants to do what; `context` keys are lower case, such as `aws:sourceaccount`. */
export interface PolicyRequest {
  /** Service principal, such as `config.amazonaws.com`. */
  service: string;
  action: string;
  resource: string;
  context: Readonly<Record<string, string | undefined>>;
}

/**
 * Whether a resource policy lets a service principal act: denied unless a statement allows it, and an explicit
 * Deny wins. Knows Principal, Action, Resource and the conditions StringEquals, StringLike, ArnEquals and ArnLike;
 * an Allow under any other condition grants nothing, a Deny under one denies (IAM user guide, evaluation logic).
 */
export function allows(policy: string | undefined, request: PolicyRequest): boolean {
  const document = policy === undefined ? undefined : parseObject(policy);
  const matching = list(document?.Statement).flatMap((item) => {
    const statement = asRecord(item);
    return statement && matches(statement, request) ? [statement.Effect] : [];
  });
  return matching.includes("Allow") && !matching.includes("Deny");
}

function matches(statement: Input, request: PolicyRequest): boolean {
  return (
    principals(statement.Principal).some((name) => name === "*" || name === request.service) &&
    strings(statement.Action).some((pattern) => like(pattern.toLowerCase(), request.action.toLowerCase())) &&
    strings(statement.Resource).some((pattern) => like(pattern, request.resource)) &&
    Object.entries(asRecord(statement.Condition) ?? {}).every(([operator, keys]) =>
      Object.entries(asRecord(keys) ?? {}).every(([key, values]) => {
        const actual = request.context[key.toLowerCase()];
        return (
          actual !== undefined &&
          strings(values).some((value) => compare(operator, value, actual, statement.Effect))
        );
      }),
    )
  );
}

function compare(operator: string, expected: string, actual: string, effect: unknown): boolean {
  if (operator === "StringEquals") return expected === actual;
  if (["StringLike", "ArnLike", "ArnEquals"].includes(operator)) return like(expected, actual);
  return effect === "Deny";
}

/** AWS account principals are left out but for `*`: the sandbox's callers are the account itself. */
function principals(principal: unknown): string[] {
  const { AWS, Service } = asRecord(principal) ?? { AWS: principal };
  return [...strings(Service), ...strings(AWS).filter((name) => name === "*")];
}

function like(pattern: string, actual: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(actual);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function strings(value: unknown): string[] {
  return list(value).filter((item) => typeof item === "string");
}
