import {
  ConfigServiceClient,
  DescribeConfigurationRecordersCommand,
  DescribeDeliveryChannelsCommand,
  PutConfigurationRecorderCommand,
  PutDeliveryChannelCommand,
} from "@aws-sdk/client-config-service";

import { afterAll, beforeAll, expect, test } from "vitest";
import { RECORDED_TYPES } from "../../src/events/table.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import type { AwsUnderTest } from "./sns.ts";

const ROLE = "arn:aws:iam::012345678901:role/config";

interface Outcome {
  changes: { resource: string; action: string; detail?: string }[];
  wired: boolean;
  missing: string[];
}

/** `aec recorder enable`, `status` and `disable` against one AWS; each test works in a Region of its own. */
export function recorderContract(start: () => Promise<AwsUnderTest>): void {
  let aws: AwsUnderTest;
  const home = temporaryDirectory();

  beforeAll(async () => {
    aws = await start();
  }, 120_000);
  afterAll(() => aws?.stop());

  const inRegion = (region: string) => {
    const env = {
      AWS_ENDPOINT_URL: aws.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: aws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: "test",
    };
    const config = new ConfigServiceClient({
      endpoint: aws.url,
      region,
      credentials: { accessKeyId: aws.accessKeyId, secretAccessKey: "test" },
    });
    const run = async (command: string, ...argv: string[]) => {
      const outcome = await aec([...command.split(" "), "-o", "json", ...argv], {
        clock: aws.clock,
        env,
        home,
      });
      return { exit: outcome.exit, output: outcome.stdout + outcome.stderr, result: outcome.json<Outcome>() };
    };
    return {
      run,
      topic: () =>
        run("sns create", "--endpoint", "http://127.0.0.1:9/aws/notify", "--no-wait", "--no-dlq", "--yes"),
      topicArn: `arn:aws:sns:${region}:${aws.accountId}:aec-default`,
      recorder: async () =>
        (await config.send(new DescribeConfigurationRecordersCommand({}))).ConfigurationRecorders?.[0],
      channel: async () => (await config.send(new DescribeDeliveryChannelsCommand({}))).DeliveryChannels?.[0],
      async existing(types: string[] | undefined, channel: object) {
        const recordingGroup = types
          ? {
              allSupported: false,
              resourceTypes: types as never[],
              recordingStrategy: { useOnly: "INCLUSION_BY_RESOURCE_TYPES" as const },
            }
          : { allSupported: true };
        await config.send(
          new PutConfigurationRecorderCommand({
            ConfigurationRecorder: { name: "theirs", roleARN: ROLE, recordingGroup },
          }),
        );
        await config.send(
          new PutDeliveryChannelCommand({
            DeliveryChannel: { name: "theirs", s3BucketName: "bucket", ...channel },
          }),
        );
      },
    };
  };

  test("an account without Config: recorder, channel and start; disable takes them away again", async () => {
    const { run, topic, topicArn, recorder, channel } = inRegion("us-east-1");
    await topic();
    expect((await run("recorder status", "--exit-code")).exit).toBe(3);
    expect((await run("recorder enable", "--yes")).exit).toBe(2);
    const enabled = await run("recorder enable", "--bucket", "bucket", "--yes");
    expect(enabled.exit, enabled.output).toBe(0);
    expect((await recorder())?.recordingGroup?.resourceTypes).toEqual([...RECORDED_TYPES]);
    expect((await channel())?.snsTopicARN).toBe(topicArn);
    expect((await run("recorder status", "--exit-code")).result).toMatchObject({ wired: true, missing: [] });
    const again = await run("recorder enable", "--yes");
    expect(again.result.changes.every(({ action }) => action === "none")).toBe(true);
    const disabled = await run("recorder disable", "--yes");
    expect(disabled.exit, disabled.output).toBe(0);
    expect([await recorder(), await channel()]).toEqual([undefined, undefined]);
    expect((await run("recorder disable", "--yes")).result.changes).toEqual([]);
  });

  test("a recorder of few types is widened, and every field of the channel is kept; disable puts both back", async () => {
    const { run, topic, topicArn, recorder, channel, existing } = inRegion("us-west-2");
    await topic();
    const properties = { deliveryFrequency: "Six_Hours" as const };
    await existing(["AWS::IAM::Role"], { s3KeyPrefix: "logs", configSnapshotDeliveryProperties: properties });
    const [recorderBefore, channelBefore] = [await recorder(), await channel()];
    expect((await run("recorder enable", "--dry-run", "--exit-code")).exit).toBe(3);
    expect(await channel()).toEqual(channelBefore);
    const enabled = await run("recorder enable", "--yes");
    expect(enabled.exit, enabled.output).toBe(0);
    expect((await recorder())?.recordingGroup?.resourceTypes).toEqual(["AWS::IAM::Role", ...RECORDED_TYPES]);
    expect(await channel()).toEqual({ ...channelBefore, snsTopicARN: topicArn });
    await run("recorder disable", "--yes");
    expect(await channel()).toEqual(channelBefore);
    expect((await recorder())?.recordingGroup).toEqual(recorderBefore?.recordingGroup);
  });

  test("a channel that publishes to another topic is never taken, unless asked for", async () => {
    const { run, topic, topicArn, channel, existing } = inRegion("eu-west-1");
    await topic();
    await run(
      "sns create",
      "--topic-name",
      "theirs",
      "--endpoint",
      "http://127.0.0.1:9/x",
      "--no-wait",
      "--no-dlq",
      "--yes",
    );
    const theirs = topicArn.replace("aec-default", "theirs");
    await existing(undefined, { snsTopicARN: theirs });
    const refused = await run("recorder enable", "--yes");
    expect(refused.exit).toBe(1);
    expect(refused.output).toContain("--replace-topic");
    expect((await channel())?.snsTopicARN).toBe(theirs);
    expect((await run("recorder enable", "--replace-topic", "--yes")).exit).toBe(0);
    expect((await channel())?.snsTopicARN).toBe(topicArn);
    await run("recorder disable", "--yes");
    expect((await channel())?.snsTopicARN).toBe(theirs);
  });
}
