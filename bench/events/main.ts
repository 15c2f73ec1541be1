import { mkdir, writeFile } from "node:fs/promises";
import { test } from "vitest";
import type { Told } from "../../test/real/aws-messages.ts";
import type { AwsCall } from "../../test/real/clouddriver/aws-proxy.ts";
import { seeded } from "../../test/real/seeded.ts";
import { AGENTS, agentOf } from "./calls.ts";
import { deployment } from "./deployment.ts";
import { pause, seconds, spread } from "./figures.ts";
import { orcaRefresh, watchPresence } from "./orca.ts";
import { prove } from "./proof.ts";
import { SHOWN_WITHIN_MS, type Shown, showing } from "./showing.ts";
import { REGIONS, startServe, startSite } from "./site.ts";

/** Three periods of 300 s polling, and one of the floors. */
const MINUTES = Number(process.env.BENCH_MINUTES ?? 15);
const ONLY = process.env.BENCH_ONLY?.split(",");
const DEPLOYMENT_EVERY_MS = 180_000;
const CHANGE_EVERY_MS = 4_000;

type Delay = (source: Told["source"], random: () => number) => number;

/** How the benchmark is run: by which polling, and how late events are, ms. */
interface Setup {
  name: string;
  intervalSeconds: number;
  delay?: Delay;
}

const ALL_SETUPS: Setup[] = [
  { name: "stock 30 s", intervalSeconds: 30 },
  { name: "stock 300 s", intervalSeconds: 300 },
  { name: "events", intervalSeconds: 30, delay: (_, random) => 500 + random() * 1_000 },
  {
    name: "events late",
    intervalSeconds: 30,
    delay: (source, random) => (source === "service" ? 1_000 + random() * 1_000 : random() * 90_000),
  },
];
const SETUPS = ALL_SETUPS.filter(({ name }) => !ONLY || ONLY.includes(name));

interface Report {
  name: string;
  calls: readonly AwsCall[];
  minutes: number;
  shown: Shown[];
  waits: number[];
  absences: number[];
}

test("stock polling and events, side by side", { timeout: 3_600_000 }, async () => {
  const runs = await Promise.all(SETUPS.map(prepare));
  try {
    const start = Date.now() + 5_000;
    const reports = await Promise.all(runs.map(({ run }) => run(start)));
    await mkdir("bench/results", { recursive: true });
    await writeFile("bench/results/events.json", JSON.stringify(reports.map(summary), null, 2));
    console.log(table(reports));
  } finally {
    await Promise.all(runs.map(({ stop }) => stop()));
  }
});

async function prepare({ name, intervalSeconds, delay }: Setup) {
  const site = await startSite({ regions: REGIONS, intervalSeconds });
  const serve = delay && (await startServe(site));
  if (serve) {
    await prove(site.regions, {
      publish: serve.publish,
      lateMs: ({ source }, number) => delay(source, seeded(`${name}/${number}`)),
    });
    // What is proven has to be held, and what the proof itself began to be over.
    await pause(Number(process.env.BENCH_QUIET_MS ?? 240_000));
    const { held, events } = await serve.status();
    console.log(
      `${name}: ${held} agents held; not proven: ${events
        .filter(({ proven }) => !proven)
        .map(({ region, type }) => `${region}/${type}`)
        .join(", ")}`,
    );
  }
  return {
    async run(start: number): Promise<Report> {
      const random = seeded("deployments");
      const shown: Promise<Shown>[] = [];
      const waits: Promise<number>[] = [];
      const presence = watchPresence(site.url);
      await pause(start - Date.now());
      site.proxy.reset();
      const end = start + MINUTES * 60_000;
      const deploying: Promise<void>[] = [];
      for (let number = 0; number * DEPLOYMENT_EVERY_MS + 80_000 < end - start; number += 1) {
        // Not in step with anybody's polling.
        const at = start + number * DEPLOYMENT_EVERY_MS + 5_000 + random() * 30_000;
        deploying.push(deploy(number, at));
      }
      await pause(end - Date.now());
      const calls = site.proxy.calls();
      await Promise.all(deploying);
      const all = { shown: await Promise.all(shown), waits: await Promise.all(waits) };
      for (let waited = 0; presence.anyGone() && waited < SHOWN_WITHIN_MS; waited += 1_000)
        await pause(1_000);
      return { name, calls, minutes: MINUTES, ...all, absences: await presence.end() };

      async function deploy(number: number, at: number): Promise<void> {
        const region = site.regions[number % site.regions.length];
        if (!region) throw new Error("no Region");
        for (const [index, change] of deployment(region, number).entries()) {
          await pause(at + index * CHANGE_EVERY_MS - Date.now());
          const { showed } = await showing(change, {
            url: site.url,
            publish: async (told) => void (await serve?.publish(told)),
            lateMs: ({ source }, which) => (delay ? delay(source, seeded(which)) : 0),
          });
          shown.push(showed);
          // Orca's stages of other pipelines refresh what they have changed.
          if (index === 4 || index === 8) {
            const group = `app${10 + 2 * number + (index === 4 ? 0 : 1)}-main-v000`;
            presence.watch(region.region, group);
            waits.push(orcaRefresh(site.url, region.region, group));
          }
        }
      }
    },
    async stop() {
      if (serve) await writeFile(`/tmp/bench-${name.replaceAll(" ", "-")}.log`, serve.output());
      await serve?.stop();
      await site.stop();
    },
  };
}

function summary({ name, calls, minutes, shown, waits, absences }: Report) {
  const perMinute = (some: readonly AwsCall[]) => Number((some.length / minutes).toFixed(1));
  return {
    name,
    "AWS calls a minute": perMinute(calls),
    agents: Object.fromEntries(
      AGENTS.map((agent) => [agent, perMinute(calls.filter((call) => agentOf(call) === agent))]),
    ),
    others: tally(calls.filter((call) => agentOf(call) === "the others")),
    "change to visible, s (p50 / p95 / max)": spread(shown.map(({ changeMs }) => changeMs)),
    "delivery to visible, s (p50 / p95 / max)": spread(shown.map(({ deliveryMs }) => deliveryMs)),
    "Orca's waits, s": waits.map(seconds).join(" "),
    "absences of groups that exist, s": absences.map(seconds).join(" "),
    slowest: shown
      .toSorted((a, b) => (b.changeMs ?? 1e9) - (a.changeMs ?? 1e9))
      .slice(0, 6)
      .map(({ what, changeMs = Number.NaN }) => `${what} ${seconds(changeMs)}`),
    count: shown.length,
  };
}

function tally(calls: readonly AwsCall[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { service, action } of calls)
    counts[`${service}:${action}`] = (counts[`${service}:${action}`] ?? 0) + 1;
  return counts;
}

/** For the README. */
function table(reports: readonly Report[]): string {
  const all = reports.map(summary);
  const [first] = all;
  const row = (name: string, cells: readonly (string | number)[]) => `| ${name} | ${cells.join(" | ")} |`;
  const saved = (calls: number) =>
    first && calls !== first["AWS calls a minute"]
      ? ` (−${Math.round(100 * (1 - calls / first["AWS calls a minute"]))} %)`
      : "";
  const mean = (values: readonly number[]) =>
    values.length === 0
      ? "none"
      : `${seconds(values.reduce((sum, one) => sum + one, 0) / values.length)} (${seconds(Math.max(...values))})`;
  return [
    row(
      "",
      all.map(({ name }) => name),
    ),
    row(
      "---",
      all.map(() => "---"),
    ),
    row(
      "**AWS calls a minute**",
      all.map(({ "AWS calls a minute": calls }) => `**${calls}**${saved(calls)}`),
    ),
    ...AGENTS.map((agent) =>
      row(
        agent,
        all.map(({ agents }) => agents[agent] ?? 0),
      ),
    ),
    ...(["change to visible, s (p50 / p95 / max)", "delivery to visible, s (p50 / p95 / max)"] as const).map(
      (name) =>
        row(
          name,
          all.map((one) => one[name]),
        ),
    ),
    row(
      "Orca's refresh waits, s: mean (max)",
      reports.map(({ waits }) => mean(waits)),
    ),
    row(
      "groups that exist and were gone, s: number, max",
      reports.map(({ absences }) => `${absences.length}, ${seconds(Math.max(0, ...absences))}`),
    ),
  ].join("\n");
}
