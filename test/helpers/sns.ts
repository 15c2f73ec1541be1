import type { SandboxAws } from "../../src/sandbox/aws/server.ts";
import { receiver } from "../sandbox/aws/support.ts";
import { until } from "./site.ts";

/** A second, confirmed subscriber of a topic: it keeps the signed bodies exactly as SNS delivers them. */
export async function subscribedReceiver(aws: SandboxAws, topicArn: string) {
  const endpoint = await receiver();
  aws.sns.subscribe(topicArn, "http", endpoint.url, new Map());
  await until(() => endpoint.got.length === 1, "the confirmation");
  const { SubscribeURL } = JSON.parse(endpoint.got[0]?.body ?? "{}") as { SubscribeURL: string };
  await fetch(SubscribeURL);
  return {
    confirmation: () => endpoint.got[0]?.body ?? "",
    notifications: () => endpoint.got.slice(1).map(({ body }) => body),
  };
}
