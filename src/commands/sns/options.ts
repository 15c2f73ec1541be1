import type { Place, PlaceOptions } from "../../aws/places.ts";
import type { Context } from "../../context.ts";
import { usageError } from "../../errors.ts";
import {
  checkAccountId,
  checkEndpoint,
  checkKmsKey,
  checkRoleArn,
  checkTopicName,
  eventQueueArn,
  type WantedTopology,
} from "../../sns/topology.ts";

export interface SnsOptions extends PlaceOptions {
  topicName?: string | undefined;
  endpoint?: string | undefined;
  protocol?: "https" | "sqs" | undefined;
  sourceAccount?: string[] | undefined;
  /** False with --no-dlq. */
  dlq?: boolean | undefined;
  filter?: boolean | undefined;
  kmsKey?: string | undefined;
  publisherRole?: string[] | undefined;
}

/** What the options and `aec.yml` want in any place, checked. */
export function wantedTopology(
  context: Context,
  options: SnsOptions,
): (place: Pick<Place, "accountId" | "partition" | "region">) => WantedTopology {
  const { section } = context.settings;
  const { environment, topicName } = topicOf(context, options);
  const endpoint = options.endpoint ?? section.notify?.endpoint;
  const accounts = options.sourceAccount ?? section.accounts?.map(({ awsAccountId }) => awsAccountId);
  const protocol = options.protocol ?? section.notify?.protocol ?? "https";
  if (protocol === "sqs" && options.endpoint !== undefined) {
    throw usageError("endpoint-with-sqs", "--protocol sqs has no endpoint: aec serve --queue-url receives");
  }
  const common = {
    environment,
    topicName,
    sourceAccounts: accounts && [...new Set(accounts.map(checkAccountId))],
    publisherRoles: options.publisherRole?.map(checkRoleArn),
    deadLetterQueue: options.dlq !== false,
    filter: Boolean(options.filter),
    kmsKey: options.kmsKey === undefined ? undefined : checkKmsKey(options.kmsKey),
    endpoint: endpoint === undefined || protocol === "sqs" ? undefined : checkEndpoint(endpoint),
  };
  return ({ accountId, partition, region }) => {
    const wanted = { ...common, accountId, partition, region };
    return protocol === "sqs" ? { ...wanted, endpoint: eventQueueArn(wanted) } : wanted;
  };
}

/** The environment's name and that of its topic. */
export function topicOf(
  { settings }: Context,
  { topicName }: Pick<SnsOptions, "topicName">,
): { environment: string; topicName: string } {
  const environment = settings.environment.value ?? "default";
  const name = topicName ?? settings.section.notify?.topicName ?? `aec-${environment}`;
  return { environment, topicName: checkTopicName(name) };
}
