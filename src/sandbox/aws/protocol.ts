import { randomUUID } from "node:crypto";
import { type AwsError, awsError } from "./error.ts";
import { asRecord, type Input, parseObject } from "./input.ts";

/** What goes back to the client. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** How one service reads calls and writes answers. */
export interface Protocol {
  decode(body: string): Input;
  result(action: string, result: unknown): Answer;
  failure(error: AwsError): Answer;
}

/** AWS query protocol: form in, `<XResponse><XResult>` out, errors as `<ErrorResponse>` (SNS, STS, Auto Scaling). */
export function queryProtocol(namespace: string): Protocol {
  const metadata = () => toXml("ResponseMetadata", { RequestId: randomUUID() }, "member");
  return {
    decode: (body) => decodeQuery(new URLSearchParams(body)),
    result: (action, result) =>
      xmlAnswer(
        200,
        `<${action}Response xmlns="${namespace}">` +
          `${toXml(`${action}Result`, result ?? {}, "member")}${metadata()}</${action}Response>`,
      ),
    failure: ({ code, message, status }) => {
      const error = { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message };
      const content = toXml("Error", error, "member") + toXml("RequestId", randomUUID(), "member");
      return xmlAnswer(status, `<ErrorResponse xmlns="${namespace}">${content}</ErrorResponse>`);
    },
  };
}

/** EC2's query dialect: no result wrapper, lists of `<item>`, errors as `<Response><Errors>`. */
export function ec2Protocol(): Protocol {
  return {
    decode: (body) => decodeQuery(new URLSearchParams(body)),
    result: (action, result) => {
      const content = toXml(`${action}Response`, { requestId: randomUUID(), ...asRecord(result) }, "item");
      return xmlAnswer(200, content.replace(">", ' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'));
    },
    failure: ({ code, message, status }) => {
      const Errors = { Error: { Code: code, Message: message } };
      return xmlAnswer(status, toXml("Response", { Errors, RequestID: randomUUID() }, "item"));
    },
  };
}

/**
 * AWS JSON protocol, errors as `__type`. `legacyCodes` are the codes of a service that spoke the query protocol
 * before (SQS): they go into `x-amzn-query-error`.
 */
export function jsonProtocol(
  version: "1.0" | "1.1",
  namespace = "",
  legacyCodes: Readonly<Record<string, string>> = {},
): Protocol {
  const headers = () => ({
    "content-type": `application/x-amz-json-${version}`,
    "x-amzn-requestid": randomUUID(),
  });
  return {
    decode(body) {
      const input = parseObject(body || "{}");
      if (!input) throw awsError("SerializationException", "The request body is not a JSON object.");
      return input;
    },
    result: (_action, result) => ({ status: 200, headers: headers(), body: JSON.stringify(result ?? {}) }),
    failure: ({ code, message, status }) => ({
      status,
      headers: {
        ...headers(),
        ...(namespace && { "x-amzn-query-error": `${legacyCodes[code] ?? code};Sender` }),
      },
      body: JSON.stringify({ __type: namespace ? `${namespace}#${code}` : code, message }),
    }),
  };
}

interface Tree {
  [key: string]: Tree | string;
}

/** A query-protocol form as plain data: `A.member.1` and `A.1` become arrays, `A.entry.1.key/value` records. */
export function decodeQuery(form: URLSearchParams): Input {
  const root: Tree = Object.create(null);
  for (const [name, value] of form) {
    const steps = name.split(".");
    const last = steps.pop() ?? "";
    let node = root;
    for (const step of steps) {
      const found = node[step];
      const next: Tree = typeof found === "object" ? found : Object.create(null);
      node[step] = next;
      node = next;
    }
    node[last] = value;
  }
  return Object.fromEntries(Object.entries(root).map(([key, value]) => [key, collapse(value)]));
}

function collapse(node: Tree | string): unknown {
  if (typeof node === "string") return node;
  const entries = Object.entries(node);
  const [first] = entries;
  if (first && entries.length === 1) {
    if (first[0] === "member") return collapse(first[1]);
    if (first[0] === "entry") return toMap(collapse(first[1]));
  }
  // Integer keys come out in ascending order, which is the list's order.
  if (first && entries.every(([key]) => /^\d+$/.test(key)))
    return entries.map(([, value]) => collapse(value));
  return Object.fromEntries(entries.map(([key, value]) => [key, collapse(value)]));
}

function toMap(rows: unknown): Input {
  const list: Input[] = Array.isArray(rows) ? rows : [];
  return Object.fromEntries(list.map((row) => [String(row.key ?? row.Name), row.value ?? row.Value]));
}

/** `value` as an element: arrays become lists of `item`, Maps `<entry>` lists, undefined and null nothing. */
function toXml(name: string, value: unknown, item: "member" | "item"): string {
  if (value === undefined || value === null) return "";
  const element = (content: string) => `<${name}>${content}</${name}>`;
  const inside = (pairs: Iterable<[string, unknown]>) =>
    element([...pairs].map(([key, inner]) => toXml(key, inner, item)).join(""));
  if (Array.isArray(value)) return inside(value.map((inner) => [item, inner]));
  if (value instanceof Map) return inside([...value].map(([key, inner]) => ["entry", { key, value: inner }]));
  if (typeof value === "object") return inside(Object.entries(value));
  return element(String(value).replace(/[&<>\r]/g, (char) => `&#${char.charCodeAt(0)};`));
}

function xmlAnswer(status: number, content: string): Answer {
  return { status, headers: { "content-type": "text/xml" }, body: `<?xml version="1.0"?>\n${content}` };
}
