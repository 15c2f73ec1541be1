import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startClouddriver } from "../../src/sandbox/clouddriver/server.ts";
import { createKeyspace } from "../../src/sandbox/redis/keyspace.ts";
import { temporaryDirectory } from "../helpers/aec.ts";
import { REGION, serve, type TestSite, testSite, until } from "../helpers/site.ts";

const ACCOUNT = "012345678901";
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:aec-default`;
const PUBLISHED_SNIPPET = `spinnaker:
  extensibility:
    repositories:
      awsCATsOnEvent:
        url: https://raw.githubusercontent.com/armory-plugins/aws-event-cache-releases/master/repositories.json
    plugins:
      Armory.AWSCATsOnEvent:
        enabled: true
`;

interface Broken {
  what: string;
  /** Breaks it; what is answered mends it again. */
  cause(site: TestSite): Mend | Promise<Mend>;
  argv?: string[];
  env?: Record<string, string | undefined>;
  /** So far this machine's clock is from Clouddriver's. */
  skewMs?: number;
  /** The check that has to be named first, and what mends it. */
  first: string;
  fix: RegExp;
}

type Mend = (() => unknown) | undefined;

const profiles = (name: string, text: string, others: Record<string, string> = {}) => {
  const directory = temporaryDirectory();
  for (const [file, content] of Object.entries({ ...others, [name]: text }))
    writeFileSync(join(directory, file), content);
  return ["--profiles-dir", directory];
};
/** Puts back what an attribute or a state was. */
function changed<T extends object, K extends keyof T>(of: T | undefined, key: K, value: T[K]): () => void {
  if (!of) throw new Error(`nothing has ${String(key)}`);
  const before = of[key];
  of[key] = value;
  return () => {
    of[key] = before;
  };
}
const attribute = (site: TestSite, name: string, value: string) => {
  const { attributes } = site.aws.sns.topics.get(TOPIC) ?? { attributes: new Map<string, string>() };
  const before = attributes.get(name);
  attributes.set(name, value);
  return () => void (before === undefined ? attributes.delete(name) : attributes.set(name, before));
};
/** A call of AWS Config that no command of aec makes. */
const config = (site: TestSite, action: string, input: object) =>
  fetch(site.aws.url, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `StarlingDoveService.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=sandbox/20261121/${REGION}/config/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
  });
const denied = (action: string) => (site: TestSite) => {
  site.aws.fault({ kind: "denied", action });
  return () => site.aws.fault(undefined);
};
const nothing = () => undefined;

const BROKEN: Broken[] = [
  {
    what: "no credentials",
    cause: nothing,
    env: { AWS_ACCESS_KEY_ID: undefined },
    first: "identity",
    fix: /AWS_|profile|credentials/,
  },
  {
    what: "another topic's name",
    cause: nothing,
    argv: ["--topic-name", "other"],
    first: "topic",
    fix: /aec sns create/,
  },
  {
    what: "another Region",
    cause: nothing,
    argv: ["--regions", "eu-west-1"],
    first: "topic",
    fix: /aec sns create .*eu-west-1/,
  },
  {
    what: "the topic may not be read",
    cause: denied("GetTopicAttributes"),
    first: "topic",
    fix: /allow sns:GetTopicAttributes/,
  },
  {
    what: "somebody has written the topic's policy anew",
    cause: (site) => attribute(site, "Policy", '{"Statement":[]}'),
    first: "topic.policy",
    fix: /aec sns create/,
  },
  {
    what: "messages could not be delivered",
    cause(site) {
      site.aws.sqs.sendFromTopic(`arn:aws:sqs:${REGION}:${ACCOUNT}:aec-default-dlq`, "{}", TOPIC);
      const queue = site.aws.sqs.queues.get(`arn:aws:sqs:${REGION}:${ACCOUNT}:aec-default-dlq`);
      return () => void queue?.messages.splice(0);
    },
    first: "undelivered",
    fix: /aec sns redrive/,
  },
  {
    what: "rules may not be read",
    cause: denied("DescribeRule"),
    first: "rules",
    fix: /allow events:DescribeRule/,
  },
  {
    what: "a rule is switched off",
    cause(site) {
      const [rule] = site.aws.events.rules.values();
      return changed(rule, "state", "DISABLED");
    },
    first: "rules",
    fix: /aec events enable/,
  },
  {
    what: "AWS Config may not be read",
    cause: denied("DescribeConfigurationRecorders"),
    first: "recorder",
    fix: /allow config:/,
  },
  {
    what: "the recorder leaves out what is needed",
    cause: (site) =>
      changed(site.aws.config.recorder(REGION), "recordingGroup", { allSupported: false, resourceTypes: [] }),
    first: "recorder",
    fix: /aec recorder enable/,
  },
  {
    what: "Clouddriver is down",
    cause: nothing,
    env: { AEC_CLOUDDRIVER_URL: "http://127.0.0.1:1" },
    first: "clouddriver",
    fix: /--clouddriver-url/,
  },
  {
    what: "a login page stands for Clouddriver",
    cause: nothing,
    env: { AEC_CLOUDDRIVER_URL: "HTML" },
    first: "clouddriver",
    fix: /not Gate, Deck or a login page/,
  },
  {
    what: "the lock store is down",
    cause: nothing,
    env: { AEC_LOCK_STORE: "redis://127.0.0.1:1" },
    first: "lock-store",
    fix: /./,
  },
  {
    what: "mode events without a lock store",
    cause: nothing,
    env: { AEC_LOCK_STORE: "" },
    first: "lock-store",
    fix: /--lock-store/,
  },
  {
    what: "aec serve is down",
    cause: nothing,
    env: { AEC_SERVE_URL: "http://127.0.0.1:1" },
    first: "serve",
    fix: /admin address/,
  },
  {
    what: "another token",
    cause: nothing,
    env: { AEC_SERVE_TOKEN: "other" },
    first: "serve",
    fix: /AEC_SERVE_TOKEN/,
  },
  {
    what: "agents are blocked by a node that is gone",
    cause(site) {
      const agent = `prod/${REGION}/LambdaCachingAgent`;
      site.redis.keyspace.set(agent, "10.0.0.9:1@gone", { px: 150_000 });
      return () => void site.redis.keyspace.del(agent);
    },
    first: "agents",
    fix: /aec agents free/,
  },
  {
    what: "the plugin as the published page has it",
    cause: nothing,
    argv: profiles("clouddriver-local.yml", PUBLISHED_SNIPPET),
    first: "plugin",
    fix: /aec install --dry-run/,
  },
  {
    what: "an interval under a key that nobody reads",
    cause: nothing,
    argv: profiles("clouddriver-local.yml", "sql:\n  poll:\n    intervalSeconds: 60\n"),
    first: "polling",
    fix: /aec polling/,
  },
  {
    what: "an interval in the namespace of a cache that is off",
    cause: nothing,
    argv: profiles("clouddriver-local.yml", "sql:\n  agent:\n    poll:\n      intervalSeconds: 60\n"),
    first: "polling",
    fix: /aec polling/,
  },
  {
    what: "a plugin under two spellings",
    cause: nothing,
    argv: profiles(
      "clouddriver-local.yml",
      `${PUBLISHED_SNIPPET}spinnaker.extensibility.plugins.Armory.AWSCATsOnEvent.enabled: false\n`,
    ),
    first: "plugin",
    fix: /aec install --dry-run/,
  },
  {
    what: "the dead-letter queue may not be read",
    cause: denied("GetQueueUrl"),
    // Topic, queues and subscription are read as one.
    first: "topic",
    fix: /allow sqs:GetQueueUrl/,
  },
  {
    what: "SNS is throttled",
    env: { AWS_MAX_ATTEMPTS: "1" },
    cause(site) {
      site.aws.fault({ kind: "throttled", service: "sns" });
      return () => site.aws.fault(undefined);
    },
    first: "topic",
    fix: /./,
  },
  {
    what: "somebody stopped the recorder",
    async cause(site) {
      const name = { ConfigurationRecorderName: "default" };
      const { status } = await config(site, "StopConfigurationRecorder", name);
      expect(status).toBe(200);
      return () => config(site, "StartConfigurationRecorder", name);
    },
    first: "recorder",
    fix: /aec recorder enable/,
  },
  {
    what: "the delivery channel belongs to somebody else",
    cause(site) {
      site.aws.config.enable(REGION, `${TOPIC}-theirs`);
      return () => site.aws.config.enable(REGION, TOPIC);
    },
    first: "channel",
    fix: /aec serve --topic-arn .*theirs/,
  },
  {
    what: "the role of an HA Clouddriver that runs no agents",
    cause: nothing,
    env: { AEC_CLOUDDRIVER_URL: "IDLE" },
    first: "agents",
    fix: /caching=/,
  },
  {
    what: "Clouddriver's sort scheduler",
    cause(site) {
      site.redis.keyspace.set("WAITZ", "1", {});
      return () => void site.redis.keyspace.del("WAITZ");
    },
    first: "scheduler",
    fix: /redis.scheduler/,
  },
  {
    what: "clocks that differ",
    cause: nothing,
    skewMs: 120_000,
    first: "clock",
    fix: /NTP/,
  },
  {
    what: "an interval that a later file sets again",
    cause: nothing,
    argv: profiles("clouddriver-local.yml", "redis:\n  poll:\n    intervalSeconds: 60\n", {
      "clouddriver.yml": "redis:\n  poll:\n    intervalSeconds: 300\n",
    }),
    first: "polling",
    fix: /aec polling/,
  },
  {
    what: "a profile that is no YAML",
    cause: nothing,
    argv: profiles("clouddriver-local.yml", "a: ["),
    first: "files",
    fix: /./,
  },
];

test("each broken site: doctor names the one right cause first, and what mends it", async () => {
  const site = await testSite({ regions: [REGION, "eu-west-1"] });
  const cwd = temporaryDirectory();
  const serving = await serve(site, [], { env: { AEC_SERVE_TOKEN: "t" } });
  writeFileSync(
    join(cwd, "aec.yml"),
    "version: 1\nenvironments:\n  default: { polling: { mode: events } }\n",
  );
  const env = { AEC_SERVE_TOKEN: "t", AEC_SERVE_URL: serving.admin };
  const run = (argv: readonly string[], more: Broken["env"] = {}, skewMs = 0) =>
    site.aec(argv, {
      cwd,
      env: { ...env, ...more } as Record<string, string>,
      clock: { ...site.clock, now: () => site.clock.now() + skewMs },
    });
  for (const line of [
    `sns create --endpoint ${serving.notify} --yes`,
    "recorder enable --bucket b --yes",
    "events enable --yes",
  ])
    expect((await run(line.split(" "))).exit).toBe(0);
  site.group("app-v001", 1);
  await until(() => serving.log().some(({ outcome }) => outcome === "applied"), "an event");
  const page = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html>log in</html>");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void page.close());
  await once(page, "listening");
  const html = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const idle = await startClouddriver({
    clock: site.clock,
    inventory: site.aws.inventory,
    keyspace: createKeyspace(site.clock),
    // Its roles share the cache; agents are those of the caching one.
    accounts: [{ name: "prod", accountId: ACCOUNT, regions: [] }],
    client: "idle",
    schedule: async () => {},
  });
  onTestFinished(() => idle.close());
  const named = new Map([
    ["HTML", html],
    ["IDLE", idle.url],
  ]);

  const doctor = async ({ argv = [], env: more = {}, skewMs }: Pick<Broken, "argv" | "env" | "skewMs">) => {
    const given = Object.fromEntries(
      Object.entries(more).map(([key, value]) => [key, named.get(value ?? "") ?? value]),
    );
    const { json } = await run(["doctor", ...argv, "-o", "json"], given, skewMs);
    const { checks, first } = json<{
      checks: { id: string; fix?: string; evidence?: string }[];
      first: string | null;
    }>();
    return { first, check: checks.find(({ id }) => id === first) };
  };
  expect(await doctor({})).toEqual({ first: null, check: undefined });
  const firsts: Record<string, string | null> = {};
  for (const broken of BROKEN) {
    const mend = await broken.cause(site);
    const { first, check } = await doctor(broken);
    await mend?.();
    firsts[broken.what] = first;
    if (first === broken.first) expect(`${check?.fix}\n${check?.evidence}`, broken.what).toMatch(broken.fix);
  }
  expect(firsts).toEqual(Object.fromEntries(BROKEN.map(({ what, first }) => [what, first])));
});
