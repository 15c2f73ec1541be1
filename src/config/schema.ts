import { z } from "zod";

const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, "is not a duration such as 30s or 5m");
const awsAccountId = z
  .string("must be a quoted string: YAML reads 012345678901 as a number")
  .regex(/^\d{12}$/, "must be 12 digits, in quotes");

const environment = z.strictObject({
  kind: z.enum(["production", "non-production"]).optional(),
  target: z
    .strictObject({
      halyard: z.string().optional(),
      operator: z.string().optional(),
      armory: z.string().optional(),
      kustomize: z.string().optional(),
      profilesDir: z.string().optional(),
    })
    .optional(),
  clouddriver: z.array(z.string(), "has to be a list of URLs, in [ ]").optional(),
  gate: z.string().optional(),
  lockStore: z.string().optional(),
  stateStore: z.string().optional(),
  serve: z.string().optional(),
  tls: z
    .strictObject({ ca: z.string().optional(), cert: z.string().optional(), key: z.string().optional() })
    .optional(),
  spinnakerUser: z.string().optional(),
  awsRegion: z.string().optional(),
  awsProfile: z.string().optional(),
  notify: z
    .strictObject({
      topicName: z.string().optional(),
      endpoint: z.string().optional(),
      protocol: z.enum(["https", "sqs"]).optional(),
      regions: z.array(z.string()).optional(),
    })
    .optional(),
  accounts: z
    .array(
      z.strictObject({
        name: z.string(),
        awsAccountId,
        regions: z.array(z.string()).optional(),
        assumeRole: z.string().optional(),
        sessionName: z.string().optional(),
        externalId: z.string().optional(),
      }),
    )
    .optional(),
  polling: z
    .strictObject({
      mode: z.enum(["stock", "events"]).optional(),
      interval: duration.optional(),
      floor: duration.optional(),
      floors: z.array(z.strictObject({ agents: z.string().min(1), floor: duration })).optional(),
      rules: z
        .array(z.strictObject({ agents: z.string(), interval: duration, hours: z.string().optional() }))
        .optional(),
    })
    .optional(),
  heal: z.boolean().optional(),
});

/** `aec.yml`, version 1. */
export const configSchema = z.strictObject({
  version: z.literal(1, "has to be 1; write version: 1 as the first line"),
  defaultEnvironment: z.string().optional(),
  environments: z.record(z.string(), environment),
});

export type AecConfig = z.infer<typeof configSchema>;
export type EnvironmentConfig = z.infer<typeof environment>;
