import { parseDuration } from "../duration.ts";

/** Caching agents with an interval of their own, which no `*.poll.intervalSeconds` changes (clouddriver-aws, -lambda). */
export const OWN_INTERVALS: readonly { agent: string; interval: string }[] = [
  { agent: "AmazonCloudFormationCachingAgent", interval: "60s" },
  { agent: "ReservationReportCachingAgent", interval: "1m" },
  { agent: "AmazonKeyPairCachingAgent", interval: "5m" },
  { agent: "AmazonElasticIpCachingAgent", interval: "5m" },
  { agent: "ReservedInstancesCachingAgent", interval: "10m" },
  { agent: "IamRoleCachingAgent (Lambda)", interval: "30m" },
  { agent: "ImageCachingAgent/public", interval: "60m" },
];

/** The hard-coded interval of an agentType, ms; undefined where the configured one counts. */
export function ownIntervalMs(agentType: string): number | undefined {
  const own = OWN_INTERVALS.find(({ agent }) => agentType.includes(agent.split(" ")[0] ?? agent));
  return own && parseDuration(own.interval, own.agent);
}
