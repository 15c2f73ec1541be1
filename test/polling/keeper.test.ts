import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { openLockStore } from "../../src/agents/stores/open.ts";
import { holdValue } from "../../src/polling/live/hold-value.ts";
import { createKeeper, type KeeperOptions } from "../../src/polling/live/keeper.ts";
import { nextStep } from "../../src/polling/live/step.ts";
import { SERVE, type Wish } from "../../src/polling/live/wishes.ts";
import { REGION, testSite } from "../helpers/site.ts";

const BALANCERS = `prod/${REGION}/AmazonApplicationLoadBalancerCachingAgent`;
const CERTIFICATES = `prod/${REGION}/AmazonCertificateCachingAgent`;
const SUBNETS = `prod/${REGION}/AmazonSubnetCachingAgent`;
const MINUTE = 60_000;

const every = (agents: string, intervalMs: number, owner = "somebody"): Wish => ({
  agents,
  intervalMs,
  until: null,
  owner,
  reason: "a test",
});

async function kept(options: Partial<KeeperOptions> = {}) {
  const site = await testSite();
  const locks = await openLockStore(site.env.AEC_LOCK_STORE ?? "");
  onTestFinished(() => locks.close());
  const now = site.clock.now();
  const executions = new Map(
    [BALANCERS, CERTIFICATES, SUBNETS].map((id) => [
      id,
      { id, provider: "aws", lastExecutionStartMs: now, lastExecutionDurationMs: 100 },
    ]),
  );
  const keeper = createKeeper({
    locks,
    see: async () => ({ executions, locks: new Map(), now, configuredMs: 30_000 }),
    clock: site.clock,
    signal: new AbortController().signal,
    log: pino({ enabled: false }),
    owner: "serve of default",
    standing: [],
    ...options,
  });
  const intervals = async () =>
    Object.fromEntries((await keeper.agents()).map(({ agent, wish }) => [agent, wish?.intervalMs]));
  return { site, locks, keeper, intervals };
}

describe("the keeper", () => {
  test("what AWS's throttling slows down never makes faster what is slower already", async () => {
    const { keeper, intervals } = await kept({
      standing: [every("**/AmazonCertificateCachingAgent", 20 * MINUTE, "aec.yml")],
      floorOf: (agent) => (agent === BALANCERS ? every(agent, 15 * MINUTE, SERVE) : undefined),
    });
    await keeper.wish(every(`prod/${REGION}/**`, 5 * MINUTE, SERVE));
    expect(await intervals()).toEqual({
      [BALANCERS]: 15 * MINUTE,
      [CERTIFICATES]: 20 * MINUTE,
      [SUBNETS]: 5 * MINUTE,
    });
    await keeper.wish(every(SUBNETS, 10_000));
    expect((await intervals())[SUBNETS]).toBe(5 * MINUTE);
  });

  test("a pass of the floor that failed is made again at the stock pace, not a floor later", () => {
    const now = 1_000_000;
    const own = holdValue("serve of default");
    const step = (attemptMs: number, retryMs?: number) => {
      const start = {
        id: SUBNETS,
        provider: "aws",
        lastExecutionStartMs: now - 400_000,
        lastExecutionDurationMs: 1,
      };
      const sighting = {
        executions: new Map([[SUBNETS, start]]),
        locks: new Map([[SUBNETS, { holder: own, lifeMs: 30_000, held: true }]]),
        now,
        configuredMs: 30_000,
      };
      const wish = { ...every(SUBNETS, 5 * MINUTE, SERVE), ...(retryMs !== undefined && { retryMs }) };
      return nextStep(SUBNETS, wish, sighting, own, attemptMs).action;
    };
    expect(step(now - 31_000, 30_000)).toBe("release");
    expect(step(now - 10_000, 30_000)).toBe("none");
    expect(step(now - 31_000)).toBe("none");
  });

  test("a hold that another replica sets between a look and a run gives way too", async () => {
    const { locks, keeper } = await kept();
    const yielding = keeper.yielding(locks);
    const other = holdValue("serve of default");
    // No agent of this site's, so that no node takes it.
    const agent = "prod/us-east-1/LambdaCachingAgent";
    expect((await yielding.lock(agent)).held).toBe(false);
    expect(await locks.hold(agent, other, MINUTE, 0)).toBe("set");
    expect(await yielding.runNow(agent, 0)).toBe("due");
    expect(await locks.hold(agent, holdValue("another environment"), MINUTE, 0)).toBe("set");
    expect(await yielding.runNow(agent, 0)).toBe("held");
  });
});
