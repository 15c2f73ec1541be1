import { describe } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { startAws } from "../../src/sandbox/aws/server.ts";
import { SPEED } from "../helpers/site.ts";
import { snsContract } from "./sns.ts";

describe("the embedded AWS", () => {
  snsContract(async () => {
    const clock = systemClock(SPEED);
    const aws = await startAws({ clock });
    const { url, accountId } = aws;
    const own = { accountId, accessKeyId: "sandbox", confirms: true, tellsSignatureVersion: true };
    return { url, clock, ...own, stop: () => aws.close() };
  });
});
