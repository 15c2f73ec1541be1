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
