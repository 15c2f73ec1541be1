import { onTestFinished } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { main } from "../../src/main.ts";
import { autoScalingGroup } from "../../src/sandbox/aws/inventory.ts";
import { type Site, type SiteOptions, startSite } from "../../src/sandbox/site.ts";
import { aec, type Outcome, testWorld, type WorldOptions } from "./aec.ts";
import { fairClock } from "./fair-clock.ts";

/** Sandbox time runs this much faster than the test. */
export const SPEED = 30;
export const REGION = "us-east-1";

export interface TestSite extends Site {
  clock: Clock;
  /** Runs a command line against the site. */
  aec(argv: readonly string[], options?: WorldOptions): Promise<Outcome>;
  /** Creates or changes a group in AWS; instances follow the desired capacity. */
  group(name: string, desired: number): void;
}

/** A site of the sandbox that ends with the test; its agents have all run once. */
export async function testSite(options: Partial<SiteOptions> = {}): Promise<TestSite> {
  const clock = options.clock ?? fairClock(SPEED);
  const site = await startSite({ clock, ...options });
  onTestFinished(() => site.close());
  await until(() => site.clouddriver.runs.length >= 16, "the first pass of all agents");
  return {
    ...site,
    clock,
    aec: (argv, more = {}) => aec(argv, { clock, ...more, env: { ...site.env, ...more.env } }),
    group(name, desired) {
      site.aws.inventory.put("auto-scaling-group", REGION, autoScalingGroup(name, desired));
    },
  };
}

/** Polls a condition for at most forty seconds of real time, or as long as is said. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  atMostMs = 40_000,
): Promise<void> {
  const deadline = Date.now() + atMostMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Serving {
  notify: string;
  admin: string;
  mode: string;
  topics: string[];
  /** Lines of its log, parsed. */
  log(): Record<string, unknown>[];
  stop(): Promise<number>;
}

/** Starts `aec serve` in process, on free ports, and waits until it says that it is ready. */
export async function serve(
  site: TestSite,
  argv: readonly string[] = [],
  options: WorldOptions = {},
): Promise<Serving> {
  const stopper = new AbortController();
  const { world, written } = testWorld({
    clock: site.clock,
    signal: stopper.signal,
    ...options,
    env: { ...site.env, ...options.env },
  });
  const listen = argv.includes("--queue-url") ? [] : ["--listen", "127.0.0.1:0"];
  const ended = main(["serve", ...listen, "--admin-listen", "127.0.0.1:0", ...argv], world);
  const stop = () => {
    stopper.abort();
    return ended;
  };
  onTestFinished(async () => void (await stop()));
  const exited = ended.then((exit) => {
    if (!written.stdout.includes("\n"))
      throw new Error(`serve ended with ${exit}: ${written.stderr}${written.stdout}`);
  });
  await Promise.race([exited, until(() => written.stdout.includes("\n"), "serve to be ready")]);
  return {
    ...(JSON.parse(written.stdout) as Omit<Serving, "log" | "stop">),
    log: () =>
      written.stderr
        .trim()
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line)),
    stop,
  };
}
