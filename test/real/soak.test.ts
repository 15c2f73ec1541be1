import { expect, test } from "vitest";
import { soak } from "./soak.ts";

const minutes = Number(process.env.SOAK_MINUTES ?? 3);
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 100_000);
const MAX_GROWTH_MB = 60;

test(
  `${minutes} minutes of events, faults and restarts: nothing is lost, nothing is left`,
  async () => {
    const { events, faults, audit, left, locks, memory, logs } = await soak({ minutes, seed });
    const story = `seed ${seed}: ${events} events, faults ${faults.join(" ")}, memory ${memory.from} to ${memory.to} MB`;
    console.log(story);
    expect(left, `${story}\n${logs}`).toBe(0);
    expect(audit.exit, `${story}\n${audit.output}\n${logs}`).toBe(0);
    expect(locks, story).toEqual([]);
    expect(memory.to - memory.from, story).toBeLessThan(MAX_GROWTH_MB);
    expect(faults.length, story).toBeGreaterThan(minutes);
    expect(events, story).toBeGreaterThan(minutes * 50);
  },
  minutes * 60_000 + 12 * 60_000,
);
