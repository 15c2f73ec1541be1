import { existsSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import type { EnvironmentConfig } from "../config/schema.ts";

type Accounts = NonNullable<EnvironmentConfig["accounts"]>;

const text = z.string().min(1).nullish();
const regions = z.array(z.object({ name: z.string().min(1) })).nullish();
/** As Halyard, a SpinnakerService and Clouddriver's own configuration write an AWS account. */
const accountSchema = z.object({
  name: z.string().min(1),
  // Without quotes YAML takes it for a number, which has lost a zero in front.
  accountId: z.union([z.string(), z.number()]).transform((id) => String(id).padStart(12, "0")),
  enabled: z.boolean().nullish(),
  regions,
  assumeRole: text,
  sessionName: text,
  externalId: text,
});
const providerSchema = z.object({
  enabled: z.boolean().nullish(),
  accounts: z.array(z.unknown()),
  defaultRegions: regions,
  defaultAssumeRole: text,
  defaultSessionName: text,
});
type Provider = z.infer<typeof providerSchema>;

/** Where a file may configure them. */
const PLACES = [
  // SpinnakerService
  ["spec", "spinnakerConfig", "config", "providers", "aws"],
  ["spec", "spinnakerConfig", "profiles", "clouddriver", "aws"],
  // Clouddriver
  ["aws"],
];

/** The AWS accounts that a file of Spinnaker's configuration names; none where it cannot be read. */
export function accountsIn(path: string): Accounts {
  return readDocuments(path).flatMap((document) =>
    PLACES.flatMap((place) => accountsOfProvider(place.reduce(below, document))),
  );
}

/** The AWS accounts of Halyard's current deployment, those of its local profile too. */
export function accountsOfHalyard(profileOf: (deployment: string) => string, path: string): Accounts {
  const [config] = readDocuments(path);
  const deployments = below(config, "deploymentConfigurations");
  const current = below(config, "currentDeployment") ?? "default";
  const deployment = Array.isArray(deployments)
    ? deployments.find((one) => below(one, "name") === current)
    : undefined;
  return [
    ...accountsOfProvider(below(below(deployment, "providers"), "aws")),
    ...accountsIn(profileOf(String(current))),
  ];
}

function below(value: unknown, key: string): unknown {
  return (value as Record<string, unknown> | null | undefined)?.[key];
}

function accountsOfProvider(value: unknown): Accounts {
  const provider = providerSchema.safeParse(value).data;
  if (!provider || provider.enabled === false) return [];
  return provider.accounts.flatMap((one) => accountOf(one, provider));
}

/** With the defaults that Clouddriver takes for what an account leaves out (AmazonCredentialsParser). */
function accountOf(value: unknown, provider: Provider): Accounts {
  const account = accountSchema.safeParse(value).data;
  if (!account || account.enabled === false || !/^\d{12}$/.test(account.accountId)) return [];
  const { name, accountId, externalId } = account;
  const filled = (template: string | null | undefined) =>
    template?.replaceAll("{{accountId}}", accountId).replaceAll("{{name}}", name);
  const own = account.regions?.length ? account.regions : (provider.defaultRegions ?? []);
  const assumeRole = filled(account.assumeRole ?? provider.defaultAssumeRole);
  const sessionName = filled(account.sessionName ?? provider.defaultSessionName);
  return [
    {
      name,
      awsAccountId: accountId,
      ...(own.length > 0 && { regions: own.map((region) => region.name) }),
      ...(assumeRole && { assumeRole }),
      ...(sessionName && { sessionName }),
      ...(externalId && { externalId }),
    },
  ];
}

function readDocuments(path: string): unknown[] {
  if (!existsSync(path)) return [];
  try {
    const documents = parseAllDocuments(readFileSync(path, "utf8"), {
      uniqueKeys: false,
      logLevel: "silent",
    });
    return "empty" in documents ? [] : documents.map((document) => document.toJS() as unknown);
  } catch {
    return [];
  }
}
