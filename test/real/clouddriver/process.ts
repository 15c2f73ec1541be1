import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A server process of the suite that runs in its own process group. */
export interface ServerProcess {
  /** Process id, which is also the id of the process group. */
  readonly pid: number;
  /** The last part of what the process wrote to standard output and standard error. */
  output(): string;
  /** Whether the process has ended. */
  exited(): boolean;
  /** Sends SIGTERM to the group, then SIGKILL after the grace period, and waits for the end. */
  stop(graceMs?: number): Promise<void>;
  /** Sends SIGKILL to the group and waits for the end. */
  kill(): Promise<void>;
}

/** How `spawnServer` starts a process. */
export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const OUTPUT_LIMIT = 200_000;
const running = new Set<number>();
let exitHookSet = false;

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

function killAtExit(pid: number): void {
  running.add(pid);
  if (!exitHookSet) {
    exitHookSet = true;
    process.on("exit", () => {
      for (const each of running) signalGroup(each, "SIGKILL");
    });
  }
}

/**
 * The exit hook does not run when this process is killed by a signal. The guard is a shell that
 * reads a pipe of ours: it sees the end of it however this process dies, and kills the group.
 */
function startGuard(pid: number): ChildProcess {
  const guard = spawn(
    "sh",
    ["-c", 'cat >/dev/null; kill -s KILL -- "-$1" 2>/dev/null', "guard", String(pid)],
    {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    },
  );
  guard.unref();
  const pipe = guard.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null;
  pipe?.on("error", () => undefined);
  pipe?.unref?.();
  return guard;
}

/** Starts a server in its own process group, which never outlives this process. */
export async function spawnServer(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<ServerProcess> {
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  let text = "";
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString("utf8")).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  await once(child, "spawn");
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command} has no process id`);

  killAtExit(pid);
  const guard = startGuard(pid);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      signalGroup(pid, "SIGKILL");
      running.delete(pid);
      if (guard.pid !== undefined) signalGroup(guard.pid, "SIGKILL");
      resolve();
    });
  });
  const exited = (): boolean => child.exitCode !== null || child.signalCode !== null;

  return {
    pid,
    output: () => text,
    exited,
    async stop(graceMs = 10_000) {
      if (exited()) return ended;
      signalGroup(pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
    async kill() {
      if (!exited()) signalGroup(pid, "SIGKILL");
      await ended;
    },
  };
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Repeats `check` until it returns true; fails when the process ends or the time is up. */
export async function waitUntil(
  what: string,
  server: ServerProcess,
  timeoutMs: number,
  check: () => Promise<boolean>,
  everyMs = 100,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    if (await check().catch(() => false)) return;
    const why = server.exited()
      ? "the process ended"
      : Date.now() > end
        ? `not within ${timeoutMs} ms`
        : undefined;
    if (why !== undefined) {
      await server.kill();
      throw new Error(`${what}: ${why}\n${server.output().slice(-8_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
