import { stringify } from "yaml";
import { z } from "zod";
import { configSchema, type EnvironmentConfig } from "../config/schema.ts";

/** What `aec.yml` is written from. */
export interface Answers {
  environment: string;
  kind: "production" | "non-production";
  section: EnvironmentConfig;
}

export const SCHEMA_FILE = "aec.schema.json";

/** What each key is for, above it; those that are not set are shown, commented out. */
const KEYS: readonly { key: keyof EnvironmentConfig; about: string; example: string }[] = [
  {
    key: "target",
    about: "where install and polling set write",
    example: "target: { halyard: ~/.hal }",
  },
  {
    key: "clouddriver",
    about: "Clouddriver itself, not Gate; in HA each role: caching=http://…, rw=http://…",
    example: "clouddriver: [ http://spin-clouddriver:7002 ]",
  },
  {
    key: "lockStore",
    about: "redis.connection of Clouddriver, or the database of its SQL scheduler: agents are run by it",
    example: "lockStore: redis://redis:6379",
  },
  { key: "gate", about: "Gate, for install --verify and --via", example: "gate: https://gate.example.com" },
  { key: "awsRegion", about: "of the topic", example: "awsRegion: us-east-1" },
  { key: "awsProfile", about: "of the AWS configuration", example: "awsProfile: spinnaker" },
  {
    key: "notify",
    about: "how events come: over https to an endpoint, or into a queue",
    example: "notify: { topicName: aec, protocol: sqs, regions: [ us-east-1 ] }",
  },
  {
    key: "accounts",
    about: "Spinnaker's AWS accounts, as Clouddriver tells them; account ids in quotes",
    example: 'accounts: [ { name: prod, awsAccountId: "012345678901", regions: [ us-east-1 ] } ]',
  },
  {
    key: "polling",
    about: "mode events leaves agents to a floor where events prove to be fast",
    example: "polling: { mode: events, floor: 5m }",
  },
];

/** The text of `aec.yml`. */
export function renderConfig(answers: Answers): string {
  const lines = [
    `# yaml-language-server: $schema=${SCHEMA_FILE}`,
    "version: 1",
    "environments:",
    ...renderEnvironment(answers).map((line) => `  ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** The lines of one environment: a comment above each key, what is not known commented out. */
export function renderEnvironment({ environment, kind, section }: Answers): string[] {
  const keys = KEYS.flatMap(({ key, about, example }) => {
    const value = section[key];
    const text =
      value === undefined
        ? `# ${example}`
        : stringify({ [key]: value }, { defaultStringType: "PLAIN", lineWidth: 100 }).trimEnd();
    return [`# ${about}`, ...text.split("\n")];
  });
  return [
    `${stringify(environment).trim()}:`,
    "  # presets of polling: production keeps the stock interval, non-production polls less",
    `  kind: ${kind}`,
    ...keys.map((line) => `  ${line}`),
  ];
}

/** The JSON Schema of `aec.yml`, by which editors complete it. */
export function renderSchema(): string {
  return `${JSON.stringify({ title: "aec.yml", ...z.toJSONSchema(configSchema) }, null, 2)}\n`;
}
