import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FaultRule } from "../../src/sandbox/aws/faults.ts";
import { type SandboxAws, startAws } from "../../src/sandbox/aws/server.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { fairClock } from "../helpers/fair-clock.ts";
import { SPEED } from "../helpers/site.ts";

interface Sequence {
  name: string;
  /** Run before, without faults. */
  given: string[];
  command: string;
  /** Exits 0 when the command has done all of its work. */
  proof: string;
}

const SNS = "sns create --protocol sqs --yes";
const ENDPOINT = "--endpoint http://127.0.0.1:9/aws/notify";
const SEQUENCES: Sequence[] = [
  {
    name: "sns create over HTTP",
    given: [],
    command: `sns create ${ENDPOINT} --no-wait --yes`,
    proof: "sns status --deep --exit-code",
  },
  {
    name: "sns create over SQS",
    given: [],
    command: `${SNS} --filter`,
    proof: "sns status --protocol sqs --filter --deep --exit-code",
  },
  {
    name: "sns create, mending",
    given: [SNS],
    command: `${SNS} --filter --source-account 000000000001`,
    proof: "sns status --protocol sqs --filter --source-account 000000000001 --deep --exit-code",
  },
  {
    name: "sns delete",
    given: [SNS],
    command: "sns delete --yes",
    proof: "sns delete --dry-run --exit-code",
  },
  {
    name: "recorder enable",
    given: [SNS],
    command: "recorder enable --bucket b --yes",
    proof: "recorder status --exit-code",
  },
  {
    name: "recorder disable",
    given: [SNS, "recorder enable --bucket b --yes"],
    command: "recorder disable --yes",
    proof: "recorder disable --dry-run --exit-code",
  },
  {
    name: "events enable",
    given: [SNS],
    command: "events enable --cloudtrail --yes",
    proof: "events status --cloudtrail --exit-code",
  },
  {
    name: "events disable",
    given: [SNS, "events enable --yes"],
    command: "events disable --yes",
    proof: "events disable --dry-run --exit-code",
  },
];
/** What a call's failure is like makes no difference to where it happens: each call meets two kinds. */
const OTHERS = ["throttled", "html", "hang"] as const;

type Run = (line: string) => ReturnType<typeof aec>;

describe.each(SEQUENCES)("$name", ({ given, command, proof }) => {
  const clock = fairClock(SPEED);
  let aws: SandboxAws;
  let accounts = 0;
  beforeAll(async () => {
    aws = await startAws({ clock });
  });
  afterAll(() => aws.close());

  /** An account of its own in the sandbox, in which `given` has happened. */
  async function inAccount(work: (run: Run, account: string) => Promise<void>) {
    accounts += 1;
    const account = String(accounts).padStart(12, "0");
    const home = temporaryDirectory();
    const env = {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: `ASIA${account}`,
      AWS_SECRET_ACCESS_KEY: "sandbox",
      AWS_REGION: "us-east-1",
      AWS_MAX_ATTEMPTS: "1",
    };
    const run: Run = (line) => aec([...line.split(" "), "-o", "json"], { clock, home, env });
    for (const line of given) expect((await run(line)).exit).toBe(0);
    await work(run, account);
  }

  test("each of its calls fails: told, nothing broken, and the next run completes", async () => {
    const calls = new Map<string, Pick<FaultRule, "service" | "action">>();
    await inAccount(async (run) => {
      const before = aws.requests.length;
      expect((await run(command)).exit).toBe(0);
      for (const { service, action } of aws.requests.slice(before)) {
        if (service !== "sts") calls.set(`${service}:${action}`, { service, action });
      }
      expect((await run(proof)).exit).toBe(0);
    });
    expect(calls.size).toBeGreaterThan(2);
    for (const [index, [name, call]] of [...calls].entries()) {
      for (const kind of ["denied", OTHERS[index % OTHERS.length] ?? "hang"] as const) {
        await inAccount(async (run, account) => {
          aws.fault({ ...call, kind, account });
          const faulty = await run(`${command} --timeout 150ms`);
          const { error } = faulty.json<{ error?: { code: string; message: string; hint?: string } }>();
          expect(faulty.exit, `${name} ${faulty.stdout}`).toBe(kind === "denied" ? 4 : 1);
          expect(error?.code, faulty.stdout).toMatch(/^aws-(denied|throttled|garbled|unreachable)$/);
          expect(error?.message, name).toContain(name.split(":")[1]);
          expect(error?.hint).toBeDefined();
          aws.fault(undefined);
          const again = await run(command);
          expect(again.exit, `${name} ${again.stdout}`).toBe(0);
          expect((await run(proof)).exit, name).toBe(0);
        });
      }
    }
  });
});
