import { mkdir, writeFile } from "node:fs/promises";
import { test } from "vitest";
import { aec } from "../../test/helpers/aec.ts";
import { heldAgents } from "../../test/real/holds.ts";
import { seeded } from "../../test/real/seeded.ts";
import { deployment } from "./deployment.ts";
import { pause, seconds, spread } from "./figures.ts";
import { prove } from "./proof.ts";
import { type Shown, showing } from "./showing.ts";
import { REGIONS, RULED, startServe, startSite } from "./site.ts";

const WITHHELD_MS = Number(process.env.BENCH_WITHHELD_MINUTES ?? 10) * 60_000;
const BETWEEN_DEPLOYMENTS_MS = 20_000;
const ONLY = process.env.BENCH_ONLY?.split(",");
const GIVE_UP_MS = 15 * 60_000;
const CHANGE_EVERY_MS = 4_000;

interface Phase {
  name: string;
  /** While nothing is changed. */
  prepare?(): Promise<void>;
  /** Breaks something and mends it; resolves when the phase is over, with what was seen. */
  run(): Promise<string>;
}

test("mode events while deployments go on and one thing after the other fails", {
  timeout: 3_600_000,
}, async () => {
  const site = await startSite({ regions: REGIONS, intervalSeconds: 30 });
  const serve = await startServe(site, ["--heartbeat", "1m"]);
  const held = async () => (await heldAgents(site.redis.url)).filter((agent) => !RULED.test(agent)).length;
  /** How long it takes until so many agents are held on proof. */
  const until = async (isEnough: (count: number) => boolean) => {
    const started = Date.now();
    while (Date.now() - started < GIVE_UP_MS) {
      // A Redis that is being restarted tells nothing.
      const count = await held().catch(() => undefined);
      if (count !== undefined && isEnough(count)) return `after ${seconds(Date.now() - started)} s`;
      await pause(250);
    }
    return "never";
  };
  let lateAndTwice = false;
  const lateMs = (_: unknown, which: string) => (500 + seeded(which)() * 1_000) * (lateAndTwice ? 20 : 1);
  const publish = async (told: Parameters<typeof serve.publish>[0]) => {
    // What cannot be delivered is AWS's to keep, and the fault's own.
    await serve.publish(told).catch(() => {});
    if (lateAndTwice) await serve.publish(told);
  };
  const proveAll = async () => {
    await prove(site.regions, { publish, lateMs });
    // What is proven has to be held, and what the proof itself began to be over.
    await pause(150_000);
  };

  const allPhases: Phase[] = [
    {
      name: "nothing",
      prepare: proveAll,
      async run() {
        await pause(120_000);
        return `${await held()} agents are held on proof`;
      },
    },
    {
      name: "`serve` killed, started again after 90 s",
      async run() {
        const killedAt = Date.now();
        await serve.kill();
        const freed = await until((count) => count === 0);
        await pause(killedAt + 90_000 - Date.now());
        await serve.startAgain();
        await pause(30_000);
        return `no agent is held on proof any more ${freed}`;
      },
    },
    {
      name: "Redis restarted, empty",
      prepare: proveAll,
      async run() {
        const before = await held();
        await site.redis.restart();
        const again = await until((count) => count > 0 && count >= before);
        await pause(60_000);
        return `${before} agents were held on proof, and as many ${again}`;
      },
    },
    {
      name: "Clouddriver killed in the middle of runs",
      async run() {
        const started = Date.now();
        await site.restartClouddriver();
        const down = seconds(Date.now() - started);
        await pause(60_000);
        return `it was gone for ${down} s; ${await held()} agents are held on proof`;
      },
    },
    {
      name: `no message for ${WITHHELD_MS / 60_000} min`,
      // After a phase that held them, or by itself.
      prepare: proveAll,
      async run() {
        const started = Date.now();
        serve.door.shut();
        const noticed = await until((count) => count === 0);
        await pause(started + WITHHELD_MS - Date.now());
        serve.door.open();
        return `no agent is held on proof any more ${noticed}`;
      },
    },
    {
      name: "messages late, and twice",
      async run() {
        lateAndTwice = true;
        await proveAll();
        await pause(60_000);
        return `${await held()} agents are held on proof again`;
      },
    },
  ];

  const phases = allPhases.filter(({ name }) => !ONLY || ONLY.some((one) => name.includes(one)));
  try {
    const changes: { during: string; showed: Promise<Shown> }[] = [];
    /** Undefined: nothing is changed. */
    let during: string | undefined;
    let over = false;
    const deploy = async () => {
      for (let number = 0; !over; number += 1) {
        const region = site.regions[number % site.regions.length];
        if (!region) throw new Error("no Region");
        for (const change of deployment(region, number)) {
          while (during === undefined && !over) await pause(250);
          if (during === undefined) return;
          const { showed } = await showing(change, { url: site.url, publish, lateMs });
          changes.push({ during, showed });
          await pause(CHANGE_EVERY_MS);
        }
        await pause(BETWEEN_DEPLOYMENTS_MS);
      }
    };
    const deploying = deploy();
    deploying.catch(() => {});
    const seen = new Map<string, string>();
    for (const { name, prepare, run } of phases) {
      await prepare?.();
      during = name;
      seen.set(name, await run());
      during = undefined;
      // Each fault is measured by what was changed while it lasted.
      await Promise.all(changes.map(({ showed }) => showed));
      console.log(`${name}: ${seen.get(name)}`);
    }
    over = true;
    await deploying;
    const shown = await Promise.all(
      changes.map(async ({ showed, ...change }) => ({ ...change, ...(await showed) })),
    );
    const audited = await aec(["refresh", "--account", "default", "--audit", "--exit-code"], {
      env: {
        AEC_CLOUDDRIVER_URL: site.url,
        AWS_ENDPOINT_URL: site.motoUrl,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_REGION: REGIONS[0] ?? "",
      },
    });
    const rows = phases.map(({ name }) => {
      const times = shown.filter((change) => change.during === name).map(({ changeMs }) => changeMs);
      return `| ${name} | ${times.length} | ${spread(times)} | ${seen.get(name)} |`;
    });
    const table = [
      "| what fails | changes | change to visible, s (p50 / p95 / max) | what was seen |",
      "| --- | --- | --- | --- |",
      ...rows,
      `audit: ${audited.exit}\n${audited.stdout}`,
    ].join("\n");
    await mkdir("bench/results", { recursive: true });
    await writeFile("bench/results/faults.md", `${table}\n\n${serve.output()}`);
    console.log(table);
  } finally {
    await serve.stop();
    await site.stop();
  }
});
