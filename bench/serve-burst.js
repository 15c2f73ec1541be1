// 10,000 events for 200 server groups at once, through one `aec serve` into the sandbox: runs, memory, answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemClock } from "../dist/clock.js";
import { autoScalingGroup } from "../dist/sandbox/aws/inventory.js";
import { startSite } from "../dist/sandbox/site.js";
import { post, signingHost, TOPIC } from "./sns-messages.js";

const EVENTS = 10_000;
const GROUPS = 200;
const CONNECTIONS = 200;
const WINDOW_MS = 2_000;
const MAX_MB = 300;
const MAX_P99_MS = 15_000;
const AGAIN_MS = 1_000;
const regions = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"];
const aec = fileURLToPath(new URL("../bin/aec.js", import.meta.url));

const site = await startSite({ clock: systemClock(), regions, intervalMs: 280_000, runMs: 500 });
const host = await signingHost();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
while (site.clouddriver.runs.length < regions.length * 16) await pause(50);
const child = spawn(
  process.execPath,
  [aec, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--topic-arn", TOPIC],
  {
    env: { ...process.env, ...site.env, AWS_ENDPOINT_URL_SNS: host.url },
    stdio: ["ignore", "pipe", "ignore"],
  },
);
const [line] = await once(child.stdout, "data");
const { notify } = JSON.parse(String(line));

const groups = Array.from({ length: GROUPS }, (_, index) => ({
  name: `shop-main-v${String(index).padStart(3, "0")}`,
  region: regions[index % regions.length],
}));
for (const { name, region } of groups)
  site.aws.inventory.put("auto-scaling-group", region, autoScalingGroup(name, 2));
const event = ({ name, region }) =>
  host.message({
    source: "aws.autoscaling",
    "detail-type": "EC2 Instance Launch Successful",
    account: site.aws.accountId,
    region,
    time: new Date().toISOString(),
    resources: [],
    detail: { AutoScalingGroupName: name },
  });
const bodies = Array.from({ length: EVENTS }, (_, index) => event(groups[index % GROUPS]));

const before = site.clouddriver.runs.length;
const started = Date.now();
let slowest = 0;
const statuses = {};
// As SNS does: what was answered 503 is sent again.
for (let left = bodies; left.length > 0; ) {
  const round = await post(notify, left, CONNECTIONS);
  slowest = Math.max(slowest, round.p99);
  for (const [status, count] of Object.entries(round.statuses))
    statuses[status] = (statuses[status] ?? 0) + count;
  left = round.again;
  if (left.length > 0) await pause(AGAIN_MS);
}
const tookMs = Date.now() - started;
const peakMb =
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
child.kill();
const runs = new Map();
for (const { agent } of site.clouddriver.runs.slice(before)) {
  if (agent.endsWith("/ClusterCachingAgent")) runs.set(agent, (runs.get(agent) ?? 0) + 1);
}
const most = Math.max(...runs.values());
const allowed = 2 * Math.ceil(tookMs / WINDOW_MS + 1);
const cached = groups.filter(({ name, region }) =>
  site.clouddriver.cache.get("auto-scaling-group", "prod", region, name),
);
host.close();
await site.close();

const checks = [
  [
    `${statuses[200] ?? 0} of ${EVENTS} answered 200, ${statuses[503] ?? 0} answers of 503 in between`,
    statuses[200] === EVENTS,
  ],
  [`${cached.length} of ${GROUPS} groups in the cache`, cached.length === GROUPS],
  [
    `at most ${most} runs of an agent in ${(tookMs / 1_000).toFixed(1)} s (at most ${allowed})`,
    most <= allowed,
  ],
  [`p99 of an answer ${slowest.toFixed(0)} ms (under ${MAX_P99_MS})`, slowest < MAX_P99_MS],
  [`${peakMb.toFixed(0)} MB at its peak (under ${MAX_MB})`, peakMb < MAX_MB],
];
console.log(`aec serve, ${EVENTS} events of ${GROUPS} server groups at once:`);
for (const [text, good] of checks) console.log(`  ${text}${good ? ": ok" : ": MISSED"}`);
process.exit(checks.every(([, good]) => good) ? 0 : 1);
