import { describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { snsContract } from "../contract/sns.ts";
import { startMoto } from "./clouddriver/moto.ts";
import { startLocalStack } from "./localstack.ts";
import { MOTO_ACCOUNT } from "./real-engine.ts";

describe("moto", () => {
  snsContract(async () => {
    const moto = await startMoto();
    const own = {
      accountId: MOTO_ACCOUNT,
      accessKeyId: "test",
      confirms: false,
      tellsSignatureVersion: false,
    };
    return { url: moto.url, clock: systemClock(), ...own, stop: moto.stop };
  });
});

describe("LocalStack", () => {
  snsContract(async () => {
    const localStack = await startLocalStack();
    const own = {
      accountId: "012345678901",
      accessKeyId: "012345678901",
      confirms: true,
      tellsSignatureVersion: true,
    };
    return { url: localStack.url, clock: systemClock(), ...own, stop: localStack.stop };
  });
});
