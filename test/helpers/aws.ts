import { onTestFinished } from "vitest";
import { type AwsOptions, startAws } from "../../src/sandbox/aws/server.ts";
import { aec, temporaryDirectory, type WorldOptions } from "./aec.ts";
import { fairClock } from "./fair-clock.ts";
import { SPEED } from "./site.ts";

/** Calls that change something in AWS. */
export const MUTATING =
  /^(Create|Set|Subscribe|Unsubscribe|Delete|Tag|Put|Remove|Start|Stop|Publish|Change|Send)/;

/** An AWS that ends with the test, and a way to run command lines against it with a state of their own. */
export async function testAws(options: Partial<AwsOptions> = {}) {
  const clock = fairClock(SPEED);
  const aws = await startAws({ clock, ...options });
  onTestFinished(() => aws.close());
  const home = temporaryDirectory();
  const env = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: "sandbox",
    AWS_SECRET_ACCESS_KEY: "sandbox",
    AWS_REGION: "us-east-1",
    AWS_MAX_ATTEMPTS: "1",
  };
  return {
    aws,
    clock,
    home,
    env,
    run: (line: string, more: WorldOptions = {}) =>
      aec(line.split(" "), { clock, home, ...more, env: { ...env, ...more.env } }),
    mutations: () => aws.requests.map(({ action }) => action).filter((action) => MUTATING.test(action)),
  };
}
