import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { systemClock } from "../clock.ts";
import type { Context } from "../context.ts";
import { failure, messageOf } from "../errors.ts";
import { startAws } from "../sandbox/aws/server.ts";
import { type Site, startSite } from "../sandbox/site.ts";
import { latencies, measureChanges, type Percentiles, REGION, type SeenChange } from "./changes.ts";
import { playRunOnEvent, type RunOnEventReport } from "./run-on-event.ts";

export interface Step {
  name: string;
  ok: boolean;
  detail: string;
}

/** What `aec demo -o json` prints. Times are sandbox time, which runs `speed` times as fast as life. */
export interface DemoReport {
  simulated: true;
  speed: number;
  windowMs: number;
  steps: Step[];
  changes: SeenChange[];
  latencyMs: { events: Percentiles; polling: Percentiles };
  /** Calls of each Clouddriver to AWS within the window. */
  awsCalls: { events: number; polling: number };
  runOnEvent: RunOnEventReport;
}

const SPEED = 40;
/** Long enough that agents at five minutes poll once in it, too. */
const WINDOW_MS = 315_000;
const FLOOR = "300s";

interface Outcome {
  exit: number;
  stdout: string;
  stderr: string;
}

/** Plays the story on the sandbox; every step is checked, and the first that fails ends it. */
export async function playDemo(context: Context): Promise<DemoReport> {
  const { signal } = context.world;
  const clock = systemClock(SPEED);
  const directory = temporaryDirectory();
  const steps: Step[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  const stopServe = new AbortController();

  const aec = (argv: readonly string[], env: Record<string, string> = {}, stop = signal) =>
    runCommand(context, argv, { env, clock, home: directory, signal: stop });
  const step = (name: string, ok: boolean, detail: string) => {
    steps.push({ name, ok, detail });
    context.out.say(`${ok ? context.out.paint.green("✓") : context.out.paint.red("✗")} ${name}: ${detail}\n`);
    if (!ok) throw failure("demo-failed", `the demo failed at "${name}": ${detail}`);
  };

  try {
    const profiles = makeHalyardDirectory(directory);
    const installed = await aec(["install", "--halyard", "--yes"]);
    const profile = readFileSync(join(profiles, "clouddriver-local.yml"), "utf8");
    step(
      "install",
      installed.exit === 0 && profile.startsWith(PROFILE) && profile.includes("Armory.AWSCATsOnEvent:"),
      "the plugin is in both profiles, and every line that was there still is",
    );
    const again = await aec(["install", "--halyard", "--yes"]);
    step(
      "install again",
      readFileSync(join(profiles, "clouddriver-local.yml"), "utf8") === profile && again.exit === 0,
      "not a byte changed",
    );

    const set = await aec([
      "polling",
      "set",
      "--halyard",
      "--interval",
      FLOOR,
      "--agent-timeout",
      "360s",
      "--yes",
    ]);
    const got = await aec(["polling", "get", "--halyard", "-o", "json"]);
    const { effective } = JSON.parse(got.stdout) as { effective: { intervalSeconds: number } };
    step(
      "polling",
      set.exit === 0 && effective.intervalSeconds === 300,
      "agents poll every 5 minutes from the next start on",
    );

    const aws = await startAws({ clock, regions: [REGION] });
    closers.push(() => aws.close());
    // Two Spinnakers look at one AWS: one as it is shipped, one with the file above and with aec serve.
    const intervalMs = effective.intervalSeconds * 1_000;
    const polling = await startSite({ clock, aws, regions: [REGION], client: "polling" });
    closers.push(() => polling.close());
    const events = await startSite({ clock, aws, regions: [REGION], client: "events", intervalMs });
    closers.push(() => events.close());
    await firstPasses([polling, events], clock, signal);

    const endpoint = await serve([], events.env);
    const created = await aec(["sns", "create", "--endpoint", endpoint, "--yes", "-o", "json"], events.env);
    const topic = JSON.parse(created.stdout) as { topicArn?: string; state?: string };
    step(
      "sns create",
      created.exit === 0 && topic.state === "confirmed",
      `${topic.topicArn} delivers to ${endpoint}, confirmed`,
    );
    aws.config.enable(REGION, topic.topicArn ?? "");

    const before = callTotals(aws.inventory.calls());
    context.out.say(
      `Twelve changes in AWS, watched for ${WINDOW_MS / 1_000} s of sandbox time (${SPEED} × as fast as life)…`,
    );
    const changes = await measureChanges({ events, polling }, WINDOW_MS, clock, signal);
    const after = callTotals(aws.inventory.calls());
    const missing = changes.filter(({ visibleAtMs }) => visibleAtMs === null);
    step(
      "changes",
      missing.length === 0,
      missing.length === 0
        ? "all twelve appeared in both caches"
        : `never seen: ${missing.map(({ resource, via }) => `${resource} by ${via}`).join(", ")}`,
    );

    // A change that no event announces: what refresh is for.
    aws.config.delayMs = 3_600_000;
    aws.inventory.put("auto-scaling-group", REGION, {
      name: "shop-web-v009",
      min: 0,
      max: 1,
      desired: 0,
      instanceIds: [],
      loadBalancers: [],
    });
    const refreshed = await aec(
      ["refresh", "shop-web-v009", "--account", events.account, "--region", REGION, "-o", "json"],
      events.env,
    );
    const { items } = JSON.parse(refreshed.stdout) as { items?: { verdict: string; durationMs: number }[] };
    step(
      "refresh",
      refreshed.exit === 0 && items?.[0]?.verdict === "refreshed",
      `shop-web-v009 ${items?.[0]?.verdict} after ${((items?.[0]?.durationMs ?? 0) / 1_000).toFixed(1)} s, read back from the cache`,
    );

    const live = "aec-live";
    const arn = (topic.topicArn ?? "").replace(/[^:]+$/, live);
    const notify = await serve(["--mode", "events", "--topic-arn", arn], polling.env);
    await aec(["sns", "create", "--topic-name", live, "--endpoint", notify, "--yes"], polling.env);
    await aec(["events", "enable", "--topic-name", live, "--yes"], polling.env);
    const { say } = context.out;
    const runOnEvent = await playRunOnEvent({ site: polling, clock, signal, step, say });

    return {
      simulated: true,
      speed: SPEED,
      windowMs: WINDOW_MS,
      steps,
      changes,
      latencyMs: { events: latencies(changes, "events"), polling: latencies(changes, "polling") },
      awsCalls: { events: after.events - before.events, polling: after.polling - before.polling },
      runOnEvent,
    };

    /** Starts `aec serve`, which ends with the demo; resolves with where it receives. */
    async function serve(argv: readonly string[], env: Record<string, string>): Promise<string> {
      const serving = startServe(context, argv, {
        env,
        clock,
        home: directory,
        signal: AbortSignal.any([stopServe.signal, signal]),
      });
      closers.push(async () => {
        stopServe.abort();
        await serving.ended;
      });
      return serving.ready;
    }
  } finally {
    for (const close of closers.toReversed()) await close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function startServe(context: Context, argv: readonly string[], own: CommandWorld) {
  let announce: (endpoint: string) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const ready = new Promise<string>((resolve, reject) => {
    announce = resolve;
    refuse = reject;
  });
  const command = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", ...argv];
  const ended = runCommand(context, command, {
    ...own,
    onLine: (line) => announce((JSON.parse(line) as { notify: string }).notify),
  }).then(({ exit, stderr }) =>
    refuse(failure("demo-failed", `aec serve ended with ${exit}`, { detail: stderr.trim() })),
  );
  return { ready, ended };
}

function temporaryDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), "aec-demo-"));
  } catch (cause) {
    throw failure("no-temporary-directory", `cannot make a directory in ${tmpdir()}: ${messageOf(cause)}`, {
      hint: "set TMPDIR to a directory that you may write",
      cause,
    });
  }
}

const PROFILE = `# kept by the platform team
aws:
  enabled: true   # all of our accounts
`;

function makeHalyardDirectory(home: string): string {
  const profiles = join(home, ".hal", "default", "profiles");
  mkdirSync(profiles, { recursive: true });
  writeFileSync(
    join(home, ".hal", "config"),
    "currentDeployment: default\ndeploymentConfigurations:\n- name: default\n  version: 1.30.1\n",
  );
  writeFileSync(join(profiles, "clouddriver-local.yml"), PROFILE);
  return profiles;
}

interface CommandWorld {
  env: Record<string, string>;
  clock: Context["world"]["clock"];
  home: string;
  signal: AbortSignal;
  /** Each line of stdout as it comes. */
  onLine?: (line: string) => void;
}

/** Runs a command line of `aec` itself in a world of the demo's; its narration is shown, its results are returned. */
async function runCommand(context: Context, argv: readonly string[], own: CommandWorld): Promise<Outcome> {
  const { world, out } = context;
  out.say(out.paint.bold(`$ aec ${argv.join(" ")}`));
  let stdout = "";
  let stderr = "";
  const exit = await context.aec(argv, {
    ...world,
    env: own.env,
    cwd: own.home,
    home: own.home,
    clock: own.clock,
    signal: own.signal,
    stdin: Readable.from([]),
    stdout: {
      write: (text) => {
        stdout += text;
        if (own.onLine && text.endsWith("\n")) own.onLine(text);
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
        if (!text.startsWith("{")) out.say(text.trimEnd());
      },
    },
  });
  return { exit, stdout, stderr };
}

async function firstPasses(
  sites: readonly Site[],
  clock: Context["world"]["clock"],
  signal: AbortSignal,
): Promise<void> {
  const agents = 16;
  while (sites.some(({ clouddriver }) => clouddriver.runs.length < agents)) await clock.sleep(500, signal);
}

function callTotals(calls: ReadonlyMap<string, ReadonlyMap<string, number>>) {
  const total = (client: string) =>
    [...(calls.get(client)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  return { events: total("events"), polling: total("polling") };
}
