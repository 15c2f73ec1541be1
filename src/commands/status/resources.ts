import { createConfigService } from "../../aws/config-service.ts";
import { createEventBridge } from "../../aws/eventbridge.ts";
import { type Place, type PlaceOptions, placesOf } from "../../aws/places.ts";
import { createSns } from "../../aws/sns.ts";
import { createSqs } from "../../aws/sqs.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { ExpectedError, messageOf } from "../../errors.ts";
import { chooseTarget, type TargetOptions } from "../../install/choose-target.ts";
import { type Installed, installedIn } from "../../install/installed.ts";
import { stateDirectory } from "../../install/state.ts";
import type { CommandResult } from "../../output/output.ts";
import { table } from "../../output/table.ts";
import { askServe } from "../../serve/telling/client.ts";
import type { Status } from "../../serve/telling/status.ts";
import { countsOf } from "../../serve/telling/status-page.ts";
import { deadLetterQueueName, eventQueueName, isOurs, topicArn } from "../../sns/topology.ts";
import { version } from "../../version.ts";
import { everyRuleName } from "../events/options.ts";
import { type PlaceResult, readInPlaces } from "../in-places.ts";
import { type SnsOptions, topicOf } from "../sns/options.ts";

export interface StatusOptions extends PlaceOptions, TargetOptions, Pick<SnsOptions, "topicName"> {}

interface Resource {
  kind: "topic" | "subscription" | "queue" | "rule" | "delivery channel";
  name: string;
  state: string;
}

/** `aec status`: what `aec` has made in AWS, by name and tag, the plugin in the target's files, and what `serve` does. */
export async function run(context: Context, options: StatusOptions): Promise<CommandResult> {
  const read = async (place: Place): Promise<PlaceResult> => {
    const resources = await resourcesIn(context, place, options);
    return {
      data: { region: place.region, accountId: place.accountId, resources },
      text: () =>
        resources.length === 0
          ? "There is nothing of aec here: aec sns create makes the beginning."
          : table(
              ["KIND", "NAME", "STATE"],
              resources.map(({ kind, name, state }) => [kind, name, state]),
            ),
    };
  };
  const installed = installedHere(context, options);
  const serving = serveOf(context);
  const inAws = async (): Promise<CommandResult> => {
    try {
      return await readInPlaces(await placesOf(context, options), read);
    } catch (error) {
      // What is here can be told without AWS.
      const other = installed.length > 0 || (await serving) !== undefined;
      if (!(error instanceof ExpectedError) || !other) throw error;
      context.out.warn(`AWS is not looked at: ${error.message}`);
      return { data: { resources: null }, text: () => "" };
    }
  };
  const [made, serve] = await Promise.all([inAws(), serving]);
  return {
    ...made,
    data: { ...(made.data as object), aec: version, installed, serve: serve ?? null },
    text: (paint) =>
      [
        made.text(paint),
        ...installed.map(pluginLine),
        ...(serve ? [serveLine(serve, context.world.clock.now())] : []),
      ]
        .filter((line) => line !== "")
        .join("\n"),
  };
}

/** Nothing where no target is named; what cannot be read is what `aec doctor` tells more of. */
function installedHere(context: Context, options: StatusOptions): Installed[] {
  try {
    return installedIn(chooseTarget(context, options), stateDirectory(context.world));
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    if (error.code !== "no-target") context.out.warn(error.message);
    return [];
  }
}

function pluginLine({ role, path, version: release, enabled, byAec }: Installed): string {
  const state = `${release ?? "of no version"}${enabled ? "" : ", switched off"}`;
  return `plugin for ${role}: ${state}, in ${path}${byAec ? ", as aec wrote it" : ""}`;
}

type ServeSummary = Pick<
  Status,
  "version" | "mode" | "held" | "savedCallsPerMinute" | "outcomes" | "missing"
>;

/** What a running `aec serve` does; undefined where none is named, or it does not answer. */
async function serveOf(context: Context): Promise<ServeSummary | undefined> {
  const { serve, serveToken } = context.settings;
  if (serve.value === undefined || serveToken.value === undefined) return undefined;
  try {
    const {
      version: running,
      mode,
      held,
      savedCallsPerMinute,
      outcomes,
      missing,
    } = (await askServe(context, "/status")) as unknown as Status;
    return { version: running, mode, held, savedCallsPerMinute, outcomes, missing };
  } catch (error) {
    context.out.warn(`aec serve: ${messageOf(error)}`);
    return undefined;
  }
}

function serveLine(
  { version: running, mode, held, savedCallsPerMinute, outcomes, missing }: ServeSummary,
  now: number,
): string {
  const ready = missing.length === 0 ? "ready" : `not ready: ${missing.join("; ")}`;
  const since = formatDuration(Math.max(0, now - outcomes.since));
  const saving =
    held > 0 ? `, ${held} agents held, at least ${savedCallsPerMinute} AWS calls a minute saved` : "";
  return `aec serve ${running} is ${ready}, in mode ${mode}; in ${since}: ${countsOf(outcomes)}${saving}`;
}

async function resourcesIn(context: Context, place: Place, options: StatusOptions): Promise<Resource[]> {
  const { environment, topicName } = topicOf(context, options);
  const arn = topicArn({ ...place, topicName });
  const sns = createSns(context, place);
  const sqs = createSqs(context, place);
  const bridge = createEventBridge(context, place);
  const [topic, queues, rules, channel] = await Promise.all([
    sns.topic(arn),
    Promise.all([eventQueueName, deadLetterQueueName].map((nameOf) => sqs.queue(nameOf({ topicName })))),
    Promise.all(everyRuleName(context, options).map(bridge.rule)),
    createConfigService(context, place).channel(),
  ]);
  const subscriptions = topic && isOurs(topic.tags, environment) ? await sns.subscriptions(arn) : [];
  const ours = <T extends { tags: Readonly<Record<string, string>> }>(found: (T | undefined)[]): T[] =>
    found.flatMap((one) => (one && isOurs(one.tags, environment) ? [one] : []));
  return [
    ...ours([topic]).map((): Resource => ({ kind: "topic", name: arn, state: "exists" })),
    ...subscriptions.map(
      ({ arn: confirmed, endpoint }): Resource => ({
        kind: "subscription",
        name: endpoint,
        state: confirmed ? "confirmed" : "pending",
      }),
    ),
    ...ours(queues).map(
      ({ arn: name, attributes }): Resource => ({
        kind: "queue",
        name,
        state: `${attributes.ApproximateNumberOfMessages ?? 0} messages`,
      }),
    ),
    ...ours(rules).map(
      ({ arn: name, enabled }): Resource => ({ kind: "rule", name, state: enabled ? "enabled" : "disabled" }),
    ),
    ...(channel?.snsTopicARN === arn
      ? [{ kind: "delivery channel", name: String(channel.name), state: "publishes to the topic" } as const]
      : []),
  ];
}
