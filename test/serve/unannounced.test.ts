import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ResourceType } from "../../src/agents/kinds.ts";
import { createUnannounced } from "../../src/serve/holding/unannounced.ts";
import { manualClock } from "../helpers/manual-clock.ts";

const PLACE = { account: "prod", region: "us-east-1" };
const LOOK_MS = 5 * 60_000;
const GRACE_MS = 2 * 60_000;

/** A cache whose names the test changes, watched with the proof of these kinds. */
function watched(types: ResourceType[], shared?: Parameters<typeof createUnannounced>[1]) {
  const clock = manualClock();
  const stopper = new AbortController();
  const cached = new Set(["web-v001", "web-v002"]);
  const lost: string[] = [];
  const unannounced = createUnannounced(clock, shared);
  const watching = unannounced.watch({
    clouddriver: { names: async (kind) => (kind === "serverGroups" ? [...cached] : []) },
    coverage: {
      all: () =>
        types.map((type) => ({ ...PLACE, type, events: 9, p95Ms: 1_000, proven: true, sources: [] })),
    },
    lost: async (why, { account, region }) => void lost.push(`${account}/${region}: ${why}`),
    signal: stopper.signal,
    log: pino({ enabled: false }),
  });
  onTestFinished(async () => {
    stopper.abort();
    await watching;
  });
  const announce = (name: string) => unannounced.announce({ ...PLACE, type: "server-group", name });
  return { clock, cached, lost, announce };
}

describe("what came or went without an event", () => {
  test("is evidence of lost events, there", async () => {
    const { clock, cached, lost } = watched(["server-group", "security-group"]);
    await clock.advance(1);
    cached.add("web-v003");
    cached.delete("web-v001");
    await clock.advance(LOOK_MS);
    expect(lost).toEqual([]);
    await clock.advance(GRACE_MS);
    expect(lost).toEqual([
      "prod/us-east-1: server-group web-v003 and 1 more came or went, and no event told of it",
    ]);
    await clock.advance(LOOK_MS + GRACE_MS);
    expect(lost).toHaveLength(1);
  });

  test("an event before, a little later, or of all of a kind is enough", async () => {
    const { clock, cached, lost, announce } = watched(["server-group"]);
    await clock.advance(1);
    announce("web-v003");
    cached.add("web-v003");
    cached.add("web-v004");
    await clock.advance(LOOK_MS);
    announce("web-v004");
    await clock.advance(GRACE_MS);
    announce("*");
    cached.clear();
    await clock.advance(LOOK_MS);
    await clock.advance(GRACE_MS);
    expect(lost).toEqual([]);
  });

  test("an event that another replica got is enough", async () => {
    const texts = new Map<string, string>();
    const shared = {
      remember: async (key: string, text: string) => void texts.set(key, text),
      recall: async (key: string) => texts.get(key),
    };
    const { clock, cached, lost } = watched(["server-group"], shared);
    await clock.advance(1);
    createUnannounced(clock, shared).announce({ ...PLACE, type: "server-group", name: "web-v003" });
    cached.add("web-v003");
    await clock.advance(LOOK_MS);
    await clock.advance(GRACE_MS);
    expect(lost).toEqual([]);
  });

  test("nothing is said of what is not proven: its agents look by themselves", async () => {
    const { clock, cached, lost } = watched(["security-group"]);
    await clock.advance(1);
    cached.add("web-v003");
    await clock.advance(LOOK_MS);
    await clock.advance(GRACE_MS);
    expect(lost).toEqual([]);
  });
});
