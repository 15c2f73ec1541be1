import { existsSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import type { EnvironmentConfig } from "../config/schema.ts";

type Accounts = NonNullable<EnvironmentConfig["accounts"]>;

/** As Halyard, a SpinnakerService and Clouddriver's own configuration write an AWS account; all scalars are text. */
const accountSchema = z.object({
  name: z.string().min(1),
  accountId: z.string().regex(/^\d{12}$/),
  regions: z.array(z.object({ name: z.string().min(1) })).optional(),
  assumeRole: z.string().min(1).optional(),
  sessionName: z.string().min(1).optional(),
  externalId: z.string().min(1).optional(),
});
const providerSchema = z.object({
  enabled: z.string().optional(),
  accounts: z.array(z.unknown()),
  defaultRegions: z.array(z.object({ name: z.string().min(1) })).optional(),
});

/** Where a file may configure them; `*` is each item of a list. */
const PLACES = [
  // Halyard
  "deploymentConfigurations.*.providers.aws",
  // SpinnakerService
  "spec.spinnakerConfig.config.providers.aws",
  "spec.spinnakerConfig.profiles.clouddriver.aws",
  // Clouddriver
  "aws",
];

/** The AWS accounts that a file of Spinnaker's configuration names; none where it cannot be read. */
export function accountsIn(path: string): Accounts {
  return read(path).flatMap((document) =>
    PLACES.flatMap((place) => place.split(".").reduce(below, [document]).flatMap(accountsOfProvider)),
  );
}

function below(values: readonly unknown[], key: string): unknown[] {
  return values.flatMap((value) => {
    if (key === "*") return Array.isArray(value) ? value : [];
    return [(value as Record<string, unknown> | null | undefined)?.[key]];
  });
}

function accountsOfProvider(value: unknown): Accounts {
  const provider = providerSchema.safeParse(value).data;
  if (!provider || provider.enabled === "false") return [];
  return provider.accounts.flatMap((one) => {
    const account = accountSchema.safeParse(one).data;
    if (!account) return [];
    const { accountId, regions = provider.defaultRegions ?? [], ...rest } = account;
    return [
      {
        ...rest,
        awsAccountId: accountId,
        ...(regions.length > 0 && { regions: regions.map(({ name }) => name) }),
      },
    ];
  });
}

/** As text only: an account's id is not in quotes everywhere. */
function read(path: string): unknown[] {
  if (!existsSync(path)) return [];
  try {
    const documents = parseAllDocuments(readFileSync(path, "utf8"), {
      schema: "failsafe",
      uniqueKeys: false,
      logLevel: "silent",
    });
    return "empty" in documents ? [] : documents.map((document) => document.toJS() as unknown);
  } catch {
    return [];
  }
}
