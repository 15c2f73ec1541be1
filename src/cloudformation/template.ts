import type { CommandResult } from "../output/output.ts";

/** Names a pseudo parameter, such as `AWS::Region`, within a string. */
const pseudo = (name: string) => `\${AWS::${name}}`;

/** A resource of a CloudFormation template; strings may name pseudo parameters. */
export interface Resource {
  Type: string;
  DependsOn?: string | string[];
  Properties: Record<string, unknown>;
}

/** Stands for any place: CloudFormation puts the stack's account and Region in. */
export const ANY_PLACE = {
  partition: pseudo("Partition"),
  accountId: pseudo("AccountId"),
  region: pseudo("Region"),
};

/** The template as the command's result; every string with a pseudo parameter becomes an `Fn::Sub`. */
export function templateResult(
  description: string,
  resources: Readonly<Record<string, Resource>>,
): CommandResult {
  const template = {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: description,
    Resources: substituted(resources),
  };
  return { data: template, text: () => JSON.stringify(template, null, 2) };
}

function substituted(value: unknown): unknown {
  if (typeof value === "string") return /\$\{AWS::\w+\}/.test(value) ? { "Fn::Sub": value } : value;
  if (Array.isArray(value)) return value.map(substituted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, substituted(inner)]));
}
