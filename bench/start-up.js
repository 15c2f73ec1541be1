// Start-up as a ratio against the bare runtime, measured in turns in one run: absolute times mean little on a shared machine.
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.env.ROUNDS ?? 21);
const aec = fileURLToPath(new URL("../bin/aec.js", import.meta.url));
const major = Number(process.versions.node.split(".")[0]);

if (process.argv[2] === "aws") {
  const { startAws } = await import("../dist/sandbox/aws/server.js");
  const { systemClock } = await import("../dist/clock.js");
  process.send?.((await startAws({ clock: systemClock() })).url);
} else {
  const server = fork(fileURLToPath(import.meta.url), ["aws"]);
  const [url] = await once(server, "message");
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
  };
  const cases = [
    { name: "node -e 0", argv: ["-e", "0"] },
    { name: "aec --help", argv: [aec, "--help"], bound: major === 20 ? 1.5 : 2 },
    {
      name: "aec completion",
      argv: [aec, "completion", "--words", "--", "sns", "re"],
      bound: major === 20 ? 1.6 : undefined,
    },
    { name: "aec sns status", argv: [aec, "sns", "status"], bound: major === 20 ? 3.5 : undefined },
  ];
  const times = cases.map(() => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, { argv }] of cases.entries()) {
      const started = process.hrtime.bigint();
      const { status } = spawnSync(process.execPath, argv, { env });
      if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}`);
      // The first round fills caches.
      if (round > 0) times[index].push(Number(process.hrtime.bigint() - started) / 1e6);
    }
  }
  server.kill();
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  console.log(`Node ${process.versions.node}, medians of ${ROUNDS} rounds`);
  for (const [index, { name, bound }] of cases.entries()) {
    const ratio = median(times[index].map((time, round) => time / times[0][round]));
    const verdict =
      bound === undefined ? "" : ratio <= bound ? `  (at most ${bound}: ok)` : `  (at most ${bound}: MISSED)`;
    console.log(
      `${name.padEnd(16)} ${median(times[index]).toFixed(0).padStart(4)} ms  ${ratio.toFixed(2)} ×${verdict}`,
    );
    if (bound !== undefined && ratio > bound) process.exitCode = 1;
  }
}
