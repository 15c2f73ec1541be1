import { describe } from "vitest";
import { startAws } from "../../src/sandbox/aws/server.ts";
import { fairClock } from "../helpers/fair-clock.ts";
import { SPEED } from "../helpers/site.ts";
import { eventsContract } from "./events.ts";
import { recorderContract } from "./recorder.ts";
import { type AwsUnderTest, snsContract } from "./sns.ts";

describe("the embedded AWS", () => {
  describe("SNS", () => snsContract(start));
  describe("AWS Config", () => recorderContract(start));
  describe("EventBridge", () => eventsContract(start));
});

async function start(): Promise<AwsUnderTest> {
  const clock = fairClock(SPEED);
  const aws = await startAws({ clock });
  const { url, accountId } = aws;
  const own = {
    accountId,
    accessKeyId: "sandbox",
    confirms: true,
    tellsSignatureVersion: true,
    seesAbsentParents: true,
  };
  return { url, clock, ...own, stop: () => aws.close() };
}
