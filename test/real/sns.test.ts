import { describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { eventsContract } from "../contract/events.ts";
import { recorderContract } from "../contract/recorder.ts";
import { type AwsUnderTest, snsContract } from "../contract/sns.ts";
import { startMoto } from "./clouddriver/moto.ts";
import { startLocalStack } from "./localstack.ts";
import { MOTO_ACCOUNT } from "./real-engine.ts";

describe("moto", () => {
  const start = async (): Promise<AwsUnderTest> => {
    const moto = await startMoto();
    const own = {
      accountId: MOTO_ACCOUNT,
      accessKeyId: "test",
      confirms: false,
      tellsSignatureVersion: false,
      seesAbsentParents: false,
    };
    return { url: moto.url, clock: systemClock(), ...own, stop: moto.stop };
  };
  describe("SNS", () => snsContract(start));
  describe("AWS Config", () => recorderContract(start));
  describe("EventBridge", () => eventsContract(start));
});

describe("LocalStack", () => {
  const start = async (): Promise<AwsUnderTest> => {
    const localStack = await startLocalStack();
    const account = "012345678901";
    const own = {
      accountId: account,
      accessKeyId: account,
      confirms: true,
      tellsSignatureVersion: true,
      seesAbsentParents: true,
    };
    return { url: localStack.url, clock: systemClock(), ...own, stop: localStack.stop };
  };
  describe("SNS", () => snsContract(start));
  describe("AWS Config", () => recorderContract(start));
  describe("EventBridge", () => eventsContract(start));
});
