import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aec } from "../helpers/aec.ts";
import { type LocalStack, startLocalStack } from "./localstack.ts";

const ACCOUNT = "012345678901";
const REGION = "us-east-1";
const STACK_TIMEOUT_MS = 60_000;

describe("exported templates, as real stacks", () => {
  let aws: LocalStack;
  beforeAll(async () => {
    aws = await startLocalStack({ services: ["cloudformation", "sns", "sqs", "events", "sts", "config"] });
  }, 120_000);
  afterAll(() => aws?.stop());

  const run = (line: string) =>
    aec(line.split(" "), {
      env: {
        AWS_ENDPOINT_URL: aws.url,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: ACCOUNT,
        AWS_SECRET_ACCESS_KEY: "test",
      },
    });

  /** CloudFormation's query API; LocalStack reads the scope of the signature and does not check it. */
  const cloudFormation = async (parameters: Record<string, string>) => {
    const scope = `${ACCOUNT}/20261121/${REGION}/cloudformation/aws4_request`;
    const response = await fetch(aws.url, {
      method: "POST",
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ Version: "2010-05-15", ...parameters }).toString(),
    });
    return response.text();
  };

  async function stack(StackName: string, TemplateBody: string): Promise<string> {
    await cloudFormation({ Action: "CreateStack", StackName, TemplateBody });
    const deadline = Date.now() + STACK_TIMEOUT_MS;
    for (;;) {
      const answer = await cloudFormation({ Action: "DescribeStacks", StackName });
      const status = /<StackStatus>([A-Z_]+)<\/StackStatus>/.exec(answer)?.[1] ?? "";
      if (!status.endsWith("_IN_PROGRESS") && status !== "") {
        return status === "CREATE_COMPLETE"
          ? status
          : `${status} ${await cloudFormation({ Action: "DescribeStackEvents", StackName })}`;
      }
      if (Date.now() > deadline) throw new Error(`the stack is still ${status || "not there"}: ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  test.each(["", "--filter --no-dlq"])("sns create --protocol sqs %s: no drift", async (more) => {
    const name = more ? "narrow" : "plain";
    const line = `--protocol sqs --topic-name ${name} ${more}`.trim();
    const { stdout } = await run(`sns create ${line} --export cloudformation`);
    expect(await stack(`aec-${name}`, stdout)).toBe("CREATE_COMPLETE");
    const status = await run(`sns status ${line} --deep --exit-code -o json`);
    expect(status.json().drift, status.stderr).toEqual([]);
    expect(status.exit).toBe(0);
    const again = await run(`sns create ${line} --yes -o json`);
    expect(
      again.json<{ changes: { action: string }[] }>().changes.every(({ action }) => action === "none"),
    ).toBe(true);
  });

  test("events enable --cloudtrail: no drift", async () => {
    const line = "--topic-name plain --cloudtrail";
    const { stdout } = await run(`events enable ${line} --export cloudformation`);
    expect(await stack("aec-rules", stdout)).toBe("CREATE_COMPLETE");
    const status = await run(`events status ${line} --exit-code -o json`);
    expect([status.exit, status.json().drift], status.stderr).toEqual([0, []]);
  });
});
