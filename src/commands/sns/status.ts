import { type Place, placesOf } from "../../aws/places.ts";
import { createSns } from "../../aws/sns.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import type { Paint } from "../../output/paint.ts";
import { observe } from "../../sns/observe.ts";
import { type Change, planTopology } from "../../sns/plan.ts";
import { topicArn } from "../../sns/topology.ts";
import { describeChange } from "../change-lines.ts";
import { type PlaceResult, readInPlaces } from "../in-places.ts";
import { type SnsOptions, wantedTopology } from "./options.ts";

export interface SnsStatusOptions extends SnsOptions {
  exitCode?: boolean | undefined;
  /** Also reads the queues and AWS Config. */
  deep?: boolean | undefined;
}

/** `aec sns status`: what differs from what `aec sns create` would make, and who is subscribed. Changes nothing. */
export async function run(context: Context, options: SnsStatusOptions): Promise<CommandResult> {
  const wantedIn = wantedTopology(context, options);
  const deep = options.deep ? await import("./status-deep.ts") : undefined;
  const read = async (place: Place): Promise<PlaceResult> => {
    const wanted = wantedIn(place);
    const arn = topicArn(wanted);
    const sns = createSns(context, place);
    const readers = deep?.deepReaders(context, place);
    const [observed, config] = await Promise.all([
      observe(wanted, sns, readers?.sqs),
      readers?.configDelivery(),
    ]);
    const listed = observed.topic ? await sns.subscriptions(arn) : [];
    const subscriptions = listed.map(({ arn: subscriptionArn, endpoint }) => ({
      endpoint,
      subscriptionArn: subscriptionArn ?? null,
      state: subscriptionArn ? "confirmed" : "pending",
    }));
    const drift = planTopology(wanted, observed).changes.filter(({ action }) => action !== "none");
    const exists = observed.topic !== undefined;
    const deepData = config && deep?.deepStatus(observed, config);
    const facts: Facts = { arn, exists, subscriptions, drift, endpoint: wanted.endpoint };
    return {
      data: { region: wanted.region, topicArn: arn, exists, drift, subscriptions, ...deepData },
      exit: options.exitCode && drift.length > 0 ? EXIT.differences : EXIT.ok,
      text: (paint) =>
        [...lines(facts, paint), ...(deepData && deep ? deep.deepLines(deepData, arn) : [])].join("\n"),
      row: (paint) => [...cells(facts, paint), ...(deepData && deep ? deep.deepCells(deepData, arn) : [])],
    };
  };
  const headings = ["TOPIC", "DRIFT", "SUBSCRIPTION", ...(deep?.DEEP_HEADINGS ?? [])];
  return readInPlaces(await placesOf(context, options), read, headings);
}

interface Facts {
  arn: string;
  exists: boolean;
  subscriptions: readonly { endpoint: string; state: string }[];
  drift: readonly Change[];
  endpoint: string | undefined;
}

function lines({ arn, exists, subscriptions, drift, endpoint }: Facts, paint: Paint): string[] {
  return [
    `topic         ${arn}: ${exists ? paint.green("exists") : paint.yellow("missing")}`,
    ...subscriptions.map(({ endpoint: subscriber, state }) =>
      state === "confirmed"
        ? `subscription  ${subscriber}: ${paint.green(state)}`
        : `subscription  ${subscriber}: ${paint.yellow(state)} (aec sns create asks for the confirmation again)`,
    ),
    ...drift.map((change) => paint.yellow(`drift         ${describeChange(change)}`)),
    drift.length > 0
      ? `mend it with:  aec sns create${endpoint ? "" : " --endpoint https://GATE/aws/notify"}`
      : "drift         none",
  ];
}

function cells({ exists, subscriptions, drift }: Facts, paint: Paint): string[] {
  const pending = subscriptions.filter(({ state }) => state === "pending").length;
  return [
    exists ? paint.green("exists") : paint.yellow("missing"),
    drift.length === 0 ? "none" : paint.yellow(drift.map(({ resource }) => resource).join(", ")),
    subscriptions.length === 0
      ? paint.yellow("none")
      : pending > 0
        ? paint.yellow(`${pending} pending`)
        : paint.green("confirmed"),
  ];
}
