import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { testAws } from "../helpers/aws.ts";

const OTHER = "000000000042";
const CREATE = "sns create --endpoint http://127.0.0.1:9/aws/notify --no-wait --yes -o json";

interface Results {
  results: {
    account?: string;
    accountId: string;
    region: string;
    topicArn?: string;
    exists?: boolean;
    error?: { code: string };
  }[];
}

/** An environment with two accounts, one of them behind a role, and two Regions. */
async function environment(role = "role/spinnakerManaged") {
  const site = await testAws();
  writeFileSync(
    `${site.home}/aec.yml`,
    `version: 1
environments:
  prod:
    notify: { topicName: aec-prod, regions: [us-east-1, eu-west-1] }
    accounts:
      - { name: main, awsAccountId: "${site.aws.accountId}" }
      - { name: other, awsAccountId: "${OTHER}", assumeRole: ${role}, regions: [eu-west-1], externalId: x }
      - { name: far, awsAccountId: "000000000077" }
`,
  );
  return { ...site, topics: () => [...site.aws.sns.topics.keys()].toSorted() };
}

describe("several accounts and Regions", () => {
  test("one run makes a topic in each place of the environment, with the roles of aec.yml", async () => {
    const { run, topics } = await environment();
    const { exit, json, stderr } = await run(CREATE);
    expect(exit, stderr).toBe(0);
    expect(topics()).toEqual([
      `arn:aws:sns:eu-west-1:${OTHER}:aec-prod`,
      "arn:aws:sns:eu-west-1:012345678901:aec-prod",
      "arn:aws:sns:us-east-1:012345678901:aec-prod",
    ]);
    expect(json<Results>().results.map(({ account, region }) => `${account} ${region}`)).toEqual([
      "main us-east-1",
      "main eu-west-1",
      "other eu-west-1",
    ]);
    const status = await run("sns status -o json");
    expect(status.json<Results>().results.map(({ exists }) => exists)).toEqual([true, true, true]);
    const table = (await run("sns status --deep")).stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(table[0]).toEqual([
      "ACCOUNT",
      "REGION",
      "TOPIC",
      "DRIFT",
      "SUBSCRIPTION",
      "UNDELIVERED",
      "AWS CONFIG",
      "LAST DELIVERY",
    ]);
    expect(table[3]?.slice(0, 6)).toEqual([OTHER, "eu-west-1", "exists", "none", "1 pending", "0"]);
    expect((await run("sns delete --yes")).exit).toBe(0);
    expect(topics()).toEqual([]);
  });

  test("--regions and --accounts choose; one place alone prints the flat document", async () => {
    const { run, topics } = await environment();
    const { json } = await run(`${CREATE} --accounts other --regions us-west-2`);
    expect(json()).toMatchObject({ region: "us-west-2" });
    expect(topics()).toEqual([`arn:aws:sns:us-west-2:${OTHER}:aec-prod`]);
    expect((await run("sns create --accounts othr --protocol sqs")).stderr).toContain('did you mean "other"');
    const far = await run("sns status --accounts far");
    expect([far.exit, far.stderr]).toEqual([2, expect.stringContaining("assumeRole")]);
  });

  test("--aws-region is one Region; an exported AWS_REGION narrows nothing", async () => {
    const { run } = await environment();
    const all = await run("sns status -o json");
    expect(all.json<Results>().results).toHaveLength(3);
    const one = await run("sns status --aws-region us-east-1 -o json");
    expect(one.json()).toMatchObject({ region: "us-east-1", exists: false });
  });

  test("a Region that no account has is an error, not a silent nothing", async () => {
    const { run, home } = await testAws();
    writeFileSync(
      `${home}/aec.yml`,
      `version: 1
environments:
  prod:
    accounts:
      - { name: other, awsAccountId: "${OTHER}", assumeRole: role/spinnakerManaged, regions: [us-east-1] }
`,
    );
    for (const line of ["sns create --protocol sqs --yes", "doctor", "serve"]) {
      const { exit, stdout, stderr } = await run(`${line} --aws-region eu-west-1`);
      expect(`${stdout}${stderr}`, line).toContain("no account of aec.yml has any of the Regions eu-west-1");
      expect(exit, line).toBe(line === "doctor" ? 1 : 2);
    }
  });

  test("a role that may not be assumed does not stop the others: exit 5, and the reason beside them", async () => {
    const { run, topics } = await environment("role/denied");
    const { exit, json } = await run(CREATE);
    expect(exit).toBe(5);
    expect(topics()).toHaveLength(2);
    const failed = json<Results>().results.find(({ error }) => error);
    expect(failed).toMatchObject({ account: "other", accountId: OTHER, error: { code: "aws-denied" } });
    const text = await run("sns status");
    expect([text.exit, text.stdout]).toEqual([5, expect.stringContaining("sts:AssumeRole")]);
  });

  test("asks once for all of it", async () => {
    const { run } = await environment();
    const asked: string[] = [];
    const { exit, stderr } = await run("sns create --protocol sqs", {
      tty: true,
      prompter: {
        confirm: async (question) => {
          asked.push(question);
          return false;
        },
        ask: async () => "",
      },
    });
    expect(exit).toBe(1);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(`${OTHER}, eu-west-1`);
    expect(stderr).toContain("012345678901, us-east-1:\n  create dead-letter queue");
  });

  test("partitions: ARNs of China and GovCloud", async () => {
    const { run, topics } = await testAws({ accountId: "012345678901" }).then((site) => ({
      ...site,
      topics: () => [...site.aws.sns.topics.keys()],
    }));
    await run(`${CREATE} --aws-region cn-north-1`);
    await run(`${CREATE} --aws-region us-gov-west-1`);
    expect(topics()).toEqual([
      "arn:aws-cn:sns:cn-north-1:012345678901:aec-default",
      "arn:aws-us-gov:sns:us-gov-west-1:012345678901:aec-default",
    ]);
  });
});
