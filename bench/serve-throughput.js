// Ignorable messages a second through `aec serve`, as a ratio against a bare program that parses and verifies the same
// messages and answers 200: in turns, in one run, since absolute figures mean little on a shared machine.
import { spawn } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { post, signingHost, TOPIC } from "./sns-messages.js";

const BOUND = 0.7;
const ROUNDS = Number(process.env.ROUNDS ?? 7);
const MESSAGES = 3_000;
const CONNECTIONS = 32;
const aec = fileURLToPath(new URL("../bin/aec.js", import.meta.url));

if (process.argv[2] === "bare") {
  const { stringToSign } = await import("../dist/events/message.js");
  const key = createPublicKey(process.env.PUBLIC_KEY);
  const server = createServer((asked, response) => {
    let text = "";
    asked.setEncoding("utf8");
    asked.on("data", (chunk) => {
      text += chunk;
    });
    asked.on("end", () => {
      const message = JSON.parse(text);
      const valid = verify(
        "sha256",
        Buffer.from(stringToSign(message)),
        key,
        Buffer.from(message.Signature, "base64"),
      );
      response.writeHead(valid ? 200 : 403).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  console.log(JSON.stringify({ notify: `http://127.0.0.1:${server.address().port}/` }));
} else {
  const host = await signingHost();
  const env = {
    ...process.env,
    PUBLIC_KEY: host.publicKey,
    AWS_ENDPOINT_URL_SNS: host.url,
    AWS_REGION: "us-east-1",
    AEC_CLOUDDRIVER_URL: "http://127.0.0.1:9",
  };
  const serve = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--topic-arn", TOPIC];
  const programs = {
    bare: [fileURLToPath(import.meta.url), "bare"],
    serve: [aec, ...serve],
  };
  const running = {};
  for (const [name, argv] of Object.entries(programs)) {
    const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "ignore"] });
    const [line] = await once(child.stdout, "data");
    running[name] = { child, url: JSON.parse(String(line)).notify };
  }
  const ratios = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const figures = {};
    for (const [name, { url }] of Object.entries(running)) {
      const bodies = Array.from({ length: MESSAGES }, () =>
        host.message({ messageType: "ComplianceChangeNotification", round }),
      );
      const { perSecond, statuses } = await post(url, bodies, CONNECTIONS);
      if (statuses[200] !== MESSAGES) throw new Error(`${name} answered ${JSON.stringify(statuses)}`);
      figures[name] = perSecond;
    }
    // The first round fills caches and compiles.
    if (round > 0) ratios.push({ ...figures, ratio: figures.serve / figures.bare });
  }
  for (const { child } of Object.values(running)) child.kill();
  host.close();
  const median = (pick) => ratios.map(pick).toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)];
  const ratio = median((one) => one.ratio);
  const verdict = ratio >= BOUND ? `at least ${BOUND}: ok` : `at least ${BOUND}: MISSED`;
  console.log(
    `aec serve: ${median((one) => one.serve).toFixed(0)} ignorable messages a second, bare node:http ${median((one) => one.bare).toFixed(0)}: ${ratio.toFixed(2)} × (${verdict})`,
  );
  process.exitCode = ratio >= BOUND ? 0 : 1;
}
