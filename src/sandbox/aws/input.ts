import { awsError } from "./error.ts";

/** The parameters of one call, whichever protocol they came by: lists are arrays, maps are records. */
export type Input = Readonly<Record<string, unknown>>;

/** A string parameter, or undefined when it is absent. */
export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name];
  return typeof value === "string" ? value : undefined;
}

/** A string parameter that must be there. */
export function text(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (!value) throw awsError("MissingParameter", `The request must contain the parameter ${name}.`);
  return value;
}

/** A whole number; the query protocol sends numbers as text. */
export function integer(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === "") return undefined;
  const number = Number(value);
  if (!Number.isInteger(number)) throw awsError("InvalidParameterValue", `${name} must be an integer.`);
  return number;
}

/** A boolean; the query protocol sends booleans as text. */
export function flag(input: Input, name: string): boolean {
  return input[name] === true || input[name] === "true";
}

/** A list of strings, empty when absent. */
export function texts(input: Input, name: string): string[] {
  const value = input[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A structure, empty when absent. */
export function record(input: Input, name: string): Input {
  return asRecord(input[name]) ?? {};
}

/** A list of structures, empty when absent. */
export function records(input: Input, name: string): Input[] {
  const value = input[name];
  return Array.isArray(value) ? value.map((item) => asRecord(item) ?? {}) : [];
}

/** A map of strings, empty when absent. */
export function textMap(input: Input, name: string): Map<string, string> {
  return new Map(Object.entries(record(input, name)).map(([key, value]) => [key, String(value)]));
}

/** A `[{Key, Value}]` tag list as a map. */
export function tagMap(input: Input, name: string): Map<string, string> {
  return new Map(records(input, name).map((tag) => [text(tag, "Key"), optionalText(tag, "Value") ?? ""]));
}

/** The JSON object in `json`, or undefined when it is no JSON or no object. */
export function parseObject(json: string): Input | undefined {
  try {
    return asRecord(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** `value` when it is a structure. */
export function asRecord(value: unknown): Input | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Input) : undefined;
}
