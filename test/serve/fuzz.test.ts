import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Envelope, signer } from "../helpers/signer.ts";
import { REGION, serve, testSite } from "../helpers/site.ts";

const TOPIC = `arn:aws:sns:${REGION}:012345678901:aec-default`;
const EXAMPLES: Envelope[] = readFileSync(new URL("../fixtures/events.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).message);
/** Ten thousand cases in all. */
const RUNS = 400;
const AT_ONCE = 25;
const ANSWERS = new Set([200, 400, 403, 404, 405, 411, 413, 503]);

/** A document with one of its values, at any depth, changed, taken away or added. */
function mutated(documents: readonly Envelope[]): fc.Arbitrary<unknown> {
  const poke = (value: unknown, path: readonly number[], poison: unknown): unknown => {
    if (value === null || typeof value !== "object" || path.length === 0) return poison;
    const [step = 0, ...rest] = path;
    const entries = Object.entries(value);
    const [key, inner] = entries[step % Math.max(entries.length, 1)] ?? ["added", undefined];
    if (poison === undefined && rest.length === 0)
      return Object.fromEntries(entries.filter(([name]) => name !== key));
    const changed = { ...value, [key]: poke(inner, rest, poison) };
    return Array.isArray(value) ? Object.values(changed) : changed;
  };
  const poison = fc.oneof(
    fc.constant(undefined),
    fc.jsonValue(),
    fc.constantFrom(
      "",
      "*",
      "__proto__",
      "constructor",
      "a\nb",
      "\u0000",
      "x".repeat(5_000),
      -1,
      1e308,
      [],
      {},
    ),
  );
  const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 });
  return fc
    .tuple(fc.constantFrom(...documents), path, poison)
    .map(([document, where, what]) => poke(document, where, what));
}

test("ten thousand messages, forged, broken and signed: always an answer, and no request for an invalid one", async () => {
  const site = await testSite({ intervalMs: 280_000 });
  const sns = await signer(site.clock.now(), TOPIC);
  const fetched: string[] = [];
  const watching: typeof fetch = (input, init) => {
    fetched.push(String(input instanceof Request ? input.url : input));
    return fetch(input, init);
  };
  const serving = await serve(site, ["--topic-arn", TOPIC], {
    env: { AWS_ENDPOINT_URL_SNS: sns.url },
    fetch: watching,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const post = (body: string, headers: Record<string, string> = {}) =>
    new Promise<number>((resolve, reject) => {
      const asked = request(serving.notify, { method: "POST", agent, headers }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      asked.on("error", reject).end(body);
    });

  const genuine = sns.sign(sns.notification("hello"));
  expect(await post(JSON.stringify(genuine))).toBe(200);
  const requests = () => fetched.filter((url) => !url.startsWith(site.clouddriver.url));
  const afterGenuine = requests().length;

  const example = fc.oneof(mutated(EXAMPLES), fc.jsonValue()).map((inner) => ({
    body: JSON.stringify(sns.sign(sns.notification(JSON.stringify(inner) ?? ""))),
    valid: true,
  }));
  const forged = mutated([genuine]).map((envelope) => ({
    body: JSON.stringify(envelope) ?? "",
    valid: false,
  }));
  const noise = fc.oneof(fc.string(), fc.json()).map((body) => ({ body, valid: false }));
  let [taken, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(example, forged, noise), { minLength: AT_ONCE, maxLength: AT_ONCE }),
      async (cases) => {
        const before = fetched.length;
        const statuses = await Promise.all(cases.map(({ body }) => post(body)));
        for (const [index, status] of statuses.entries()) {
          expect(ANSWERS.has(status), `${status} for ${cases[index]?.body.slice(0, 500)}`).toBe(true);
          if (status === 200) taken += 1;
          else refused += 1;
          // Changes of what is not signed leave a message genuine, and the first one is a duplicate then.
          if (cases[index]?.valid) expect([200, 503]).toContain(status);
        }
        if (cases.every(({ valid }) => !valid)) expect(fetched.length).toBe(before);
      },
    ),
    { numRuns: RUNS },
  );
  agent.destroy();
  expect(Math.min(taken, refused)).toBeGreaterThan(1_000);
  expect(requests().length).toBe(afterGenuine);
  expect(sns.fetched()).toBe(1);
  expect(serving.log().filter(({ level }) => level === 50)).toEqual([]);
});

test("whatever comes over the wire, the next one is answered", async () => {
  const site = await testSite({ intervalMs: 280_000 });
  const serving = await serve(site, ["--topic-arn", TOPIC]);
  const { port, hostname, pathname } = new URL(serving.notify);
  const send = (bytes: Buffer) =>
    new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end(bytes));
      socket
        .on("data", () => {})
        .on("error", () => {})
        .on("close", () => resolve());
    });
  const head = fc.tuple(
    fc.constantFrom("POST", "GET", "PUT", "OPTIONS", "post", "\u0000"),
    fc.constantFrom(pathname, "/", "//", "/%", `${pathname}?a=%zz`, "http://[::1", "*", "/\u00ff"),
    fc.array(
      fc.constantFrom(
        "Content-Length: 5",
        "Content-Length: -1",
        "Content-Length: 99999999",
        "Transfer-Encoding: chunked",
        "Host: a",
        "x-amz-sns-rawdelivery: true",
        "Expect: 100-continue",
        `X-Long: ${"x".repeat(20_000)}`,
      ),
      { maxLength: 4 },
    ),
  );
  const wire = fc.oneof(
    fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(head, fc.string())
      .map(([[method, path, headers], body]) =>
        Buffer.from(`${[`${method} ${path} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n${body}`, "latin1"),
      ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(wire, { minLength: 10, maxLength: 10 }), async (all) => {
      await Promise.all(all.map(send));
      expect((await fetch(serving.notify, { method: "POST", body: "hello" })).status).toBe(400);
    }),
    { numRuns: 60 },
  );
});
