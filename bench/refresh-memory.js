// Peak memory of a refresh of 1,000 server groups in 10 accounts and 4 Regions, on the sandbox. Linux tells the peak.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemClock } from "../dist/clock.js";
import { autoScalingGroup } from "../dist/sandbox/aws/inventory.js";
import { startSite } from "../dist/sandbox/site.js";

const BOUND_MB = 150;
const AGENTS = 600;
const regions = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"];
const accounts = Array.from({ length: 9 }, (_, index) => ({
  name: `team${index}`,
  accountId: "012345678901",
  regions,
}));
const aec = fileURLToPath(new URL("../bin/aec.js", import.meta.url));

const site = await startSite({ clock: systemClock(), regions, accounts, intervalMs: 280_000 });
// Every account sees the same AWS: a hundred groups in it are a thousand in the cache.
for (let index = 0; index < 100; index += 1) {
  const name = `shop-main-v${String(index).padStart(3, "0")}`;
  site.aws.inventory.put("auto-scaling-group", regions[index % regions.length], autoScalingGroup(name, 2));
}
while (site.clouddriver.runs.length < AGENTS) await new Promise((resolve) => setTimeout(resolve, 50));

async function peakOf(argv) {
  const child = spawn(process.execPath, [aec, ...argv, "-o", "json"], {
    env: { ...process.env, ...site.env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  let peakMb = 0;
  const watch = setInterval(() => {
    try {
      const [, kb] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? [];
      peakMb = Math.max(peakMb, Number(kb ?? 0) / 1_024);
    } catch {}
  }, 20);
  const [exit] = await once(child, "exit");
  clearInterval(watch);
  if (exit !== 0) throw new Error(`${argv.join(" ")} ended with ${exit}: ${stdout.slice(0, 300)}`);
  return { peakMb, items: JSON.parse(stdout).items.length };
}

await peakOf(["refresh", "--provider", "aws", "--type", "server-group"]);
const { peakMb, items } = await peakOf(["refresh", "--application", "shop"]);
const verdict = peakMb < BOUND_MB ? `under ${BOUND_MB}: ok` : `under ${BOUND_MB}: MISSED`;
console.log(`aec refresh of ${items} server groups: ${peakMb.toFixed(0)} MB at its peak (${verdict})`);
process.exit(peakMb < BOUND_MB ? 0 : 1);
