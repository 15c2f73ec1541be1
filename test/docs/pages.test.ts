import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { PRESETS } from "../../src/polling/settings.ts";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { makeHalyard } from "../helpers/halyard.ts";
import { fencedBlocks } from "../helpers/markdown.ts";
import { serve, testSite, until } from "../helpers/site.ts";

const root = join(import.meta.dirname, "../..");
const ID = "Armory.AWSCATsOnEvent";

interface Page {
  file: string;
  /** Command lines of what is there when the page begins. */
  before?: string[];
  /** Ends that are not 0, by how the line begins. */
  ends?: Record<string, number>;
  /** Begins of lines that need what no test has. */
  skipped?: string[];
  /** Its commands are shortened, as it says: the connections are in the environment. */
  shortened?: true;
}

/** Whoever follows a page agrees to what it asks. */
const AGREED = ["--yes"];
const AEC_SERVE = "http://aec-serve:7011";
const SERVE =
  "serve --clouddriver-url http://spin-clouddriver:7002 --lock-store redis://redis:6379 --aws-region us-east-1";
const TOPIC = "sns create --aws-region us-east-1 --endpoint https://gate.example.com/aws/notify --yes";

const PAGES: Page[] = [
  {
    file: "docs/install.md",
    // The page says so.
    ends: { doctor: 1 },
    // A test of its own has it.
    skipped: ["demo"],
  },
  { file: "docs/connect-aws.md" },
  { file: "docs/non-production.md", before: [SERVE] },
  { file: "docs/run-on-event.md", before: [SERVE, TOPIC] },
  { file: "docs/scale-out.md" },
  {
    // The bundle is the vendor's; compat has tests of its own.
    file: "docs/upgrade-from-the-plugin.md",
    before: ["install --halyard --yes"],
    ends: { doctor: 1 },
    skipped: ["compat --plugin"],
  },
  { file: "docs/uninstall.md", before: [SERVE, TOPIC, "install --halyard --yes"] },
  { file: "docs/troubleshooting.md", before: [SERVE, TOPIC], shortened: true },
  { file: "README.md", before: [SERVE], shortened: true, skipped: ["agents watch"] },
];

/** A site, and files as somebody has them who follows the pages. */
async function scene() {
  const site = await testSite();
  site.group("shop-web-v012", 1);
  const home = temporaryDirectory();
  const cwd = temporaryDirectory();
  const fixture = (name: string, as: string) => {
    mkdirSync(dirname(join(cwd, as)), { recursive: true });
    copyFileSync(join(root, "test/fixtures", name), join(cwd, as));
  };
  makeHalyard(home);
  fixture("spinsvc-02-oss-base-other-name.yml", "spinnaker-kustomize-patches/service.yml");
  fixture("profile-01-comment-only.yml", "spinnaker-kustomize/overlays/config/files/clouddriver-local.yml");
  fixture("profile-38-gate-context-path.yml", "spinnaker-kustomize/overlays/config/files/gate-local.yml");
  writeFileSync(
    join(cwd, "accounts.yml"),
    "- { account: prod, region: us-east-1, serverGroups: 50, loadBalancers: 10, targetGroups: 10 }\n",
  );
  const gate = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://gate");
    const service = searchParams.get("service") ?? "";
    const plugins = { [service]: [{ pluginId: ID, version: "0.2.1" }] };
    response.writeHead(pathname === "/plugins/installed" ? 200 : 400).end(JSON.stringify(plugins));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void gate.close());
  await until(() => gate.listening, "the Gate");
  return { site, home, cwd, gate: `http://127.0.0.1:${(gate.address() as AddressInfo).port}` };
}

/** Plays the command lines of a page one after the other, as its reader would; each with how it ended. */
async function play({ file, before = [], skipped = [], shortened }: Page) {
  const { site, home, cwd, gate } = await scene();
  const addresses = new Map([
    ["https://gate.example.com", gate],
    ["http://spin-clouddriver:7002", site.clouddriver.url],
    ["http://clouddriver:7002", site.clouddriver.url],
    ["redis://redis:6379", site.redis.url],
  ]);
  const here = (text: string) =>
    [...addresses].reduce((before, [shown, real]) => before.replaceAll(shown, real), text);
  const environment = () => {
    const { AWS_REGION, AEC_CLOUDDRIVER_URL, AEC_LOCK_STORE, ...aws } = site.env;
    const connections = {
      AWS_REGION,
      AEC_CLOUDDRIVER_URL,
      AEC_LOCK_STORE,
      AEC_SERVE_URL: addresses.get(AEC_SERVE),
    };
    const given = Object.entries(shortened ? connections : {}).filter(([, value]) => value !== undefined);
    return { ...aws, ...Object.fromEntries(given), AEC_SERVE_TOKEN: "token" } as Record<string, string>;
  };
  const options = () => ({ home, cwd, env: environment() });

  async function start(argv: string[]): Promise<number> {
    const listens = new Set(["--listen", "--admin-listen"]);
    const rest = argv.filter((word, index) => !listens.has(word) && !listens.has(argv[index - 1] ?? ""));
    const serving = await serve(site, rest, options());
    if (addresses.has(AEC_SERVE)) return 0;
    addresses.set(AEC_SERVE, serving.admin).set("http://127.0.0.1:7011", serving.admin);
    // The longer one first.
    const plain = [...addresses];
    addresses.clear();
    addresses.set("https://gate.example.com/aws/notify", serving.notify);
    for (const [shown, real] of plain) addresses.set(shown, real);
    return 0;
  }
  let configuration: string | undefined;
  async function run(line: string) {
    // Addresses become known as the page goes on.
    if (configuration !== undefined) writeFileSync(join(cwd, "aec.yml"), here(configuration));
    const argv = wordsOf(here(line));
    if (argv[0] === "serve") return { line, exit: await start(argv.slice(1)), output: "" };
    const { exit, stdout, stderr } = await aec([...argv, ...AGREED], { clock: site.clock, ...options() });
    return { line, exit, output: stdout + stderr };
  }

  for (const line of before) {
    const { exit, output } = await run(line);
    expect(exit, `${line}\n${output}`).toBe(0);
  }
  const ended = [];
  for (const { language, body } of fencedBlocks(readFileSync(join(root, file), "utf8"))) {
    if (language === "yaml" && body.startsWith("version: 1\n")) configuration = body;
    const lines = body.replaceAll("\\\n", "").split("\n");
    for (const line of lines.flatMap((one) => (/^aec (?!serve,)/.test(one) ? [one.slice(4)] : [])))
      if (!skipped.some((begin) => line.startsWith(begin))) ended.push(await run(line));
  }
  return ended;
}

const wordsOf = (line: string) =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );

test("the page tells the figures of the preset", () => {
  const { intervalSeconds, errorIntervalSeconds } = PRESETS["non-production"];
  expect(errorIntervalSeconds).toBe(intervalSeconds);
  const page = readFileSync(join(root, "docs/non-production.md"), "utf8");
  expect(page).toContain(`${intervalSeconds} s, also after an error`);
});

describe("each command of a page runs as its reader would run it", () => {
  test.each(PAGES)("$file", async (page) => {
    const ended = await play(page);
    expect(ended.length).toBeGreaterThan(2);
    const expected = (line: string) =>
      Object.entries(page.ends ?? {}).find(([begin]) => line.startsWith(begin))?.[1] ?? 0;
    for (const { line, exit, output } of ended)
      expect.soft(exit, `aec ${line}\n${output}`).toBe(expected(line));
  });
});
