import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DescribeConfigurationRecordersCommand,
  DescribeDeliveryChannelsCommand,
  PutConfigurationRecorderCommand,
  PutDeliveryChannelCommand,
} from "@aws-sdk/client-config-service";
import { describe, expect, test } from "vitest";
import { RECORDED_TYPES } from "../../src/events/table.ts";
import { testAws } from "../helpers/aws.ts";
import { clients } from "../sandbox/aws/support.ts";

const REGION = "us-east-1";
const ROLE = "arn:aws:iam::012345678901:role/config";

/** An account with the topics of two environments. */
async function account() {
  const site = await testAws();
  for (const name of ["aec-prod", "aec-staging", "theirs"])
    await site.run(`sns create --protocol sqs --topic-name ${name} --yes`);
  const { config } = clients(site.aws, REGION);
  const recorder = async () =>
    (await config.send(new DescribeConfigurationRecordersCommand({}))).ConfigurationRecorders?.[0];
  const channel = async () =>
    (await config.send(new DescribeDeliveryChannelsCommand({}))).DeliveryChannels?.[0];
  const put = async (resourceTypes: string[] | "all", delivery: object, roleARN = ROLE) => {
    const recordingGroup =
      resourceTypes === "all"
        ? { allSupported: true }
        : {
            allSupported: false,
            resourceTypes: resourceTypes as never[],
            recordingStrategy: { useOnly: "INCLUSION_BY_RESOURCE_TYPES" as const },
          };
    await config.send(
      new PutConfigurationRecorderCommand({
        ConfigurationRecorder: { name: "default", roleARN, recordingGroup },
      }),
    );
    await config.send(
      new PutDeliveryChannelCommand({
        DeliveryChannel: { name: "default", s3BucketName: "bucket", ...delivery },
      }),
    );
  };
  return { ...site, recorder, channel, put };
}
/** The one record of a home. */
const stateFile = (home: string) => {
  const directory = join(home, ".local/state/aec/recorder");
  return join(directory, readdirSync(directory)[0] ?? "");
};
const topic = (name: string) => `arn:aws:sns:${REGION}:012345678901:${name}`;

test("types that an override records once a day are of no use, whatever the recorder's mode", async () => {
  const { run, aws } = await account();
  await run("recorder enable --topic-name aec-prod --bucket b --yes");
  const recorder = aws.config.recorder(REGION);
  if (recorder) {
    const resourceTypes = ["AWS::EC2::SecurityGroup"];
    recorder.recordingMode = {
      recordingFrequency: "CONTINUOUS",
      recordingModeOverrides: [{ resourceTypes, recordingFrequency: "DAILY" }],
    };
  }
  const { exit, json } = await run("recorder status --topic-name aec-prod --exit-code -o json");
  expect([exit, json()]).toMatchObject([3, { wired: false, daily: ["AWS::EC2::SecurityGroup"] }]);
  const enabled = await run("recorder enable --topic-name aec-prod --yes");
  expect(enabled.stderr).toContain("once a day");
});

describe("recorder disable takes back what enable did, and nothing of anybody else", () => {
  test("another environment's is refused and left alone", async () => {
    const { run, channel, recorder } = await account();
    await run("recorder enable --topic-name aec-prod --bucket b --yes");
    const { exit, json } = await run("recorder disable --topic-name aec-staging --yes -o json");
    expect([exit, json()]).toMatchObject([1, { error: { code: "other-topic" } }]);
    expect((await channel())?.snsTopicARN).toBe(topic("aec-prod"));
    expect(await recorder()).toBeDefined();
    expect((await run("recorder disable --topic-name aec-prod --yes")).exit).toBe(0);
    expect([await channel(), await recorder()]).toEqual([undefined, undefined]);
  });

  test("a channel that somebody took over since stays, with its recorder, and is said", async () => {
    const { run, channel, recorder, put } = await account();
    await run("recorder enable --topic-name aec-prod --bucket b --yes");
    const types = (await recorder())?.recordingGroup?.resourceTypes ?? [];
    await put(types, { snsTopicARN: topic("theirs") });
    const { exit, stdout } = await run("recorder disable --topic-name aec-prod --yes");
    expect([exit, stdout]).toEqual([0, expect.stringContaining("kept delivery channel")]);
    expect((await channel())?.snsTopicARN).toBe(topic("theirs"));
    expect(await recorder()).toBeDefined();
  });

  test("what was changed since is kept: strategy, role, bucket; only topic and added types go", async () => {
    const { run, channel, recorder, put } = await account();
    await put(["AWS::EC2::VPC"], { s3KeyPrefix: "old" });
    await run("recorder enable --topic-name aec-prod --yes");
    await put(
      "all",
      { s3BucketName: "new", s3KmsKeyArn: "arn:aws:kms:r:1:key/k", snsTopicARN: topic("aec-prod") },
      `${ROLE}2`,
    );
    const { stdout } = await run("recorder disable --topic-name aec-prod --yes");
    expect(stdout).toContain("kept recorder");
    expect(await channel()).toEqual({
      name: "default",
      s3BucketName: "new",
      s3KmsKeyArn: "arn:aws:kms:r:1:key/k",
    });
    expect(await recorder()).toMatchObject({ roleARN: `${ROLE}2`, recordingGroup: { allSupported: true } });
  });

  test("a type that somebody added after enable stays", async () => {
    const { run, recorder, put } = await account();
    await put(["AWS::EC2::VPC"], {});
    await run("recorder enable --topic-name aec-prod --yes");
    const widened = (await recorder())?.recordingGroup?.resourceTypes ?? [];
    await put([...widened, "AWS::S3::Bucket"], { snsTopicARN: topic("aec-prod") });
    await run("recorder disable --topic-name aec-prod --yes");
    expect((await recorder())?.recordingGroup?.resourceTypes).toEqual(["AWS::EC2::VPC", "AWS::S3::Bucket"]);
  });

  test("a recorder that enable left alone is left alone, whatever somebody added to it since", async () => {
    const { run, channel, recorder, put } = await account();
    const needed = [...RECORDED_TYPES];
    await put(needed, {});
    await run("recorder enable --topic-name aec-prod --yes");
    await put([...needed, "AWS::S3::Bucket"], { snsTopicARN: topic("aec-prod") });
    const { exit, stdout } = await run("recorder disable --topic-name aec-prod --yes");
    expect([exit, stdout]).toEqual([0, expect.not.stringContaining("record what it did before")]);
    expect((await recorder())?.recordingGroup?.resourceTypes).toEqual([...needed, "AWS::S3::Bucket"]);
    expect((await channel())?.snsTopicARN).toBeUndefined();
  });

  test("what an earlier aec widened is narrowed again, also where enable ran once more since", async () => {
    const { run, home, recorder, put } = await account();
    await put(["AWS::EC2::VPC"], {});
    await run("recorder enable --topic-name aec-prod --yes");
    const path = stateFile(home);
    const { made: _, ...earlier } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify(earlier));
    await put((await recorder())?.recordingGroup?.resourceTypes ?? [], {});
    await run("recorder enable --topic-name aec-prod --yes");
    await run("recorder disable --topic-name aec-prod --yes");
    expect((await recorder())?.recordingGroup?.resourceTypes).toEqual(["AWS::EC2::VPC"]);
  });

  test("a state file that is none is named, with the way on", async () => {
    const { run, home } = await account();
    await run("recorder enable --topic-name aec-prod --bucket b --yes");
    writeFileSync(stateFile(home), "");
    const { exit, json } = await run("recorder disable --topic-name aec-prod --yes -o json");
    expect([exit, json()]).toMatchObject([1, { error: { code: "bad-state" } }]);
  });
});
