// Installing into a profile of 400 accounts, as a ratio against the parser reading that text once, in turns in one run.
import { parseDocument } from "yaml";
import { pluginEdits } from "../dist/install/profile.js";
import { unifiedDiff } from "../dist/output/diff.js";
import { editYaml } from "../dist/yaml/edit.js";
import { parseYaml } from "../dist/yaml/parse.js";

const ROUNDS = Number(process.env.ROUNDS ?? 15);
const BOUND = 3;

const account = (index) => `    - name: account-${index}   # team ${index % 40}
      environment: prod
      accountType: main
      accountId: ${String(index).padStart(12, "0")}
      assumeRole: role/spinnakerManaged
      permissions:
        READ: [ team-${index % 40}, operators ]
        WRITE:
          - team-${index % 40}
      regions:
        - name: us-east-1
          availabilityZones: [ us-east-1a, us-east-1b, us-east-1c ]
        - name: us-west-2
          availabilityZones: [ us-west-2a, us-west-2b, us-west-2c ]
        - name: eu-west-1
          availabilityZones: [ eu-west-1a, eu-west-1b, eu-west-1c ]
      lifecycleHooks:
        - defaultResult: CONTINUE
          heartbeatTimeout: 300
          roleARN: arn:aws:iam::${String(index).padStart(12, "0")}:role/spinnakerLifecycle
          notificationTargetARN: arn:aws:sns:us-east-1:${String(index).padStart(12, "0")}:lifecycle
          lifecycleTransition: autoscaling:EC2_INSTANCE_TERMINATING
`;
const text = `# generated\naws:\n  enabled: true\n  accounts:\n${Array.from({ length: 400 }, (_, index) => account(index)).join("")}`;
const place = { path: "clouddriver-local.yml", prefix: [], role: "clouddriver" };
const wanted = { version: "0.2.1", repositoryUrl: "https://plugins.example.com/plugins.json", force: false };

function install() {
  const file = parseYaml(text, place.path);
  return editYaml(file, pluginEdits(file, place, wanted).edits);
}

const added = unifiedDiff("f", text, install())
  .split("\n")
  .filter((line) => /^[+-](?![+-])/.test(line));
if (added.length !== 9 || added.some((line) => line.startsWith("-")))
  throw new Error("the diff is not the inserted lines");

const time = (work) => {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started) / 1e6;
};
const ratios = [];
const times = { parse: [], install: [] };
for (let round = 0; round <= ROUNDS; round += 1) {
  const parse = time(() => parseDocument(text));
  const edit = time(install);
  // The first round warms up.
  if (round === 0) continue;
  times.parse.push(parse);
  times.install.push(edit);
  ratios.push(edit / parse);
}
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const ratio = median(ratios);
console.log(
  `Profile of ${(text.length / 1024).toFixed(0)} KB with 400 accounts, medians of ${ROUNDS} rounds`,
);
console.log(`yaml parses it once   ${median(times.parse).toFixed(0).padStart(5)} ms`);
console.log(
  `aec plans its edit    ${median(times.install).toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)} ×  (at most ${BOUND}: ${ratio <= BOUND ? "ok" : "MISSED"})`,
);
if (ratio > BOUND) process.exitCode = 1;
