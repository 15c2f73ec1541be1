import {
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aec } from "../helpers/aec.ts";
import type { AwsUnderTest } from "./sns.ts";

const REGION = "us-east-1";
const RULE = "aec-default-autoscaling";

interface Outcome {
  changes: { resource: string; action: string; detail?: string }[];
  drift: { detail?: string }[];
}

/** `aec events enable`, `status` and `disable` against one AWS. */
export function eventsContract(start: () => Promise<AwsUnderTest>): void {
  let aws: AwsUnderTest;
  let bridge: EventBridgeClient;

  beforeAll(async () => {
    aws = await start();
    const credentials = { accessKeyId: aws.accessKeyId, secretAccessKey: "test" };
    bridge = new EventBridgeClient({ endpoint: aws.url, region: REGION, credentials });
  }, 120_000);
  afterAll(() => aws?.stop());

  const run = async (line: string) => {
    const outcome = await aec([...line.split(" "), "-o", "json"], {
      clock: aws.clock,
      env: {
        AWS_ENDPOINT_URL: aws.url,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: aws.accessKeyId,
        AWS_SECRET_ACCESS_KEY: "test",
      },
    });
    return { exit: outcome.exit, output: outcome.stdout + outcome.stderr, result: outcome.json<Outcome>() };
  };
  const rules = async () =>
    ((await bridge.send(new ListRulesCommand({ NamePrefix: "aec-" }))).Rules ?? []).map(({ Name }) => Name);
  const targets = async () =>
    ((await bridge.send(new ListTargetsByRuleCommand({ Rule: RULE }))).Targets ?? []).map(({ Id }) => Id);

  test("enable needs the topic, makes the rules, and finds nothing to change the second time", async () => {
    expect((await run("events enable --yes")).exit).toBe(1);
    expect(await rules()).toEqual([]);
    expect((await run("sns create --protocol sqs --yes")).exit).toBe(0);
    const enabled = await run("events enable --cloudtrail --yes");
    expect(enabled.exit, enabled.output).toBe(0);
    expect((await rules()).toSorted()).toEqual([RULE, "aec-default-cloudtrail"]);
    const again = await run("events enable --cloudtrail --yes");
    expect(again.result.changes.map(({ action }) => action)).toEqual(["none", "none"]);
    expect((await run("events status --cloudtrail --exit-code")).exit).toBe(0);
  });

  test("a target that was taken away is told and mended; another one stays", async () => {
    const theirs = { Id: "theirs", Arn: `arn:aws:sqs:${REGION}:${aws.accountId}:aec-default-events` };
    await bridge.send(new PutTargetsCommand({ Rule: RULE, Targets: [theirs] }));
    await bridge.send(new RemoveTargetsCommand({ Rule: RULE, Ids: ["aec-topic"] }));
    const drifted = await run("events status --exit-code");
    expect([drifted.exit, drifted.result.drift[0]?.detail]).toEqual([3, "target"]);
    expect((await run("events enable --yes")).exit).toBe(0);
    expect((await targets()).toSorted()).toEqual(["aec-topic", "theirs"]);
  });

  test("disable leaves none, twice", async () => {
    const kept = await run("events disable --yes");
    expect(kept.exit, kept.output).toBe(0);
    expect([await rules(), await targets()]).toEqual([[RULE], ["theirs"]]);
    await bridge.send(new RemoveTargetsCommand({ Rule: RULE, Ids: ["theirs"] }));
    expect((await run("events disable --yes")).exit).toBe(0);
    expect(await rules()).toEqual([]);
    expect((await run("events disable --yes")).result.changes).toEqual([]);
    // Nothing listens any more; that the bus takes the event shows that it is still there.
    const Entries = [{ Source: "aec.test", DetailType: "none", Detail: "{}" }];
    expect((await bridge.send(new PutEventsCommand({ Entries }))).FailedEntryCount).toBe(0);
  });
}
