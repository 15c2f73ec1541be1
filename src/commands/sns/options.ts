import { regionOf } from "../../aws/clients.ts";
import { callerIdentity } from "../../aws/identity.ts";
import type { Context } from "../../context.ts";
import { checkAccountId, checkEndpoint, checkTopicName, type WantedTopology } from "../../sns/topology.ts";

export interface SnsOptions {
  topicName?: string | undefined;
  endpoint?: string | undefined;
  sourceAccount?: string[] | undefined;
  /** False with --no-dlq. */
  dlq?: boolean | undefined;
}

/** What the options and `aec.yml` want, checked, in the caller's account. */
export async function wantedTopology(context: Context, options: SnsOptions): Promise<WantedTopology> {
  const { section, environment: chosen } = context.settings;
  const environment = chosen.value ?? "default";
  const endpoint = options.endpoint ?? section.notify?.endpoint;
  const topicName = checkTopicName(options.topicName ?? section.notify?.topicName ?? `aec-${environment}`);
  const accounts = options.sourceAccount ?? section.accounts?.map(({ awsAccountId }) => awsAccountId);
  const region = regionOf(context);
  const wanted = {
    environment,
    region,
    topicName,
    endpoint: endpoint === undefined ? undefined : checkEndpoint(endpoint),
    sourceAccounts: accounts && [...new Set(accounts.map(checkAccountId))],
    deadLetterQueue: options.dlq !== false,
  };
  return { ...wanted, ...(await callerIdentity(context, region)) };
}
