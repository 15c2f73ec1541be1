import { type Place, placeOf } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { parseTopicArn } from "../events/signing-host.ts";

/** Where a topic lives, as its own account's caller. */
export function placeOfTopic(context: Context, arn: string): Promise<Place> {
  const { accountId = "", region = "" } = parseTopicArn(arn) ?? {};
  return placeOf(context, accountId, region);
}

/** Makes the clients of each topic once; what failed is tried again by the next call. */
export function topicClients<T>(context: Context, make: (place: Place) => T): (arn: string) => Promise<T> {
  const made = new Map<string, T>();
  return async (arn) => {
    const clients = made.get(arn) ?? make(await placeOfTopic(context, arn));
    made.set(arn, clients);
    return clients;
  };
}
