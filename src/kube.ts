import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { failure, messageOf, usageError } from "./errors.ts";
import type { World } from "./world.ts";

export interface KubeOptions {
  namespace: string;
  /** Of the kubeconfig; default: its current one. */
  context?: string | undefined;
}

/** Spinnaker's services, each behind a port of this machine while the forwards are open. */
export interface Forwards {
  /** With roles, as `--clouddriver-url` takes them. */
  clouddriver: string[];
  gate: string | undefined;
  close(): void;
}

const CLOUDDRIVER = /^(?:spin-)?clouddriver(?:-(caching|rw|ro))?$/;
const GATE = /^(?:spin-)?gate$/;
const READY_MS = 15_000;

const servicesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ ports: z.array(z.object({ port: z.number() })).optional() }),
    }),
  ),
});

/**
 * Finds Clouddriver's and Gate's services in a namespace and opens `kubectl port-forward` to each. Throws where kubectl
 * is not there or refuses, and a usage error where the namespace has no Clouddriver.
 */
export async function openForwards(world: World, options: KubeOptions): Promise<Forwards> {
  const scope = [
    "--namespace",
    options.namespace,
    ...(options.context ? ["--context", options.context] : []),
  ];
  const list = kubectl(world, [
    ...scope,
    `--request-timeout=${READY_MS / 1_000}s`,
    "get",
    "services",
    "-o",
    "json",
  ]);
  const listed = await output(list, world.signal);
  const services = parseServices(listed);
  const found = services.filter(({ name }) => CLOUDDRIVER.test(name));
  if (found.length === 0) {
    throw usageError("no-services", `namespace "${options.namespace}" has no service of Clouddriver`, {
      detail: services.map(({ name }) => name).join(", "),
      hint: "kubectl get services --all-namespaces | grep clouddriver",
    });
  }
  const children: ChildProcess[] = [];
  const kill = () => children.forEach((child) => void child.kill());
  // Some ends of the process pass by close: a reader that is gone, a second Ctrl-C.
  process.once("exit", kill);
  const close = () => {
    process.off("exit", kill);
    kill();
  };
  const forward = async ({ name, port }: NamedService) => {
    const child = kubectl(world, [
      ...scope,
      "port-forward",
      `service/${name}`,
      `:${port}`,
      "--address",
      "127.0.0.1",
    ]);
    children.push(child);
    return `http://127.0.0.1:${await localPort(child, name)}`;
  };
  try {
    const gate = services.find(({ name }) => GATE.test(name));
    const [clouddriver, gateUrl] = await Promise.all([
      Promise.all(
        found.map(async (service) => {
          const role = CLOUDDRIVER.exec(service.name)?.[1];
          return `${role ? `${role}=` : ""}${await forward(service)}`;
        }),
      ),
      gate && forward(gate),
    ]);
    return { clouddriver, gate: gateUrl, close };
  } catch (error) {
    close();
    world.signal.throwIfAborted();
    throw error;
  }
}

interface NamedService {
  name: string;
  port: number;
}

function parseServices(text: string): NamedService[] {
  const parsed = servicesSchema.safeParse(parseJson(text));
  if (!parsed.success) throw failure("kubectl-failed", "kubectl did not list services");
  return parsed.data.items.flatMap(({ metadata: { name }, spec: { ports } }) =>
    ports?.[0] ? { name, port: ports[0].port } : [],
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kubectl({ env, signal }: World, argv: readonly string[]): ChildProcess {
  return spawn("kubectl", argv, { env: { ...env }, stdio: ["ignore", "pipe", "pipe"], signal });
}

/** What kubectl prints until it ends. Throws for any end but a good one. */
async function output(child: ChildProcess, signal: AbortSignal): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  const problem = await ended(child);
  if (problem === undefined) return text;
  signal.throwIfAborted();
  throw failure("kubectl-failed", "kubectl failed", {
    // It says the same several times before it comes to the point.
    detail: problem.trim().split("\n").at(-1),
    hint: "try: kubectl get services; --kube-context names another cluster",
  });
}

/** Resolves when it ends: with what it complained of, or undefined. */
function ended(child: ChildProcess): Promise<string | undefined> {
  let complaints = "";
  child.stderr?.on("data", (chunk) => {
    complaints += chunk;
  });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(messageOf(error)));
    child.once("close", (code) => resolve(code === 0 ? undefined : complaints.trim() || `exit ${code}`));
  });
}

/** The port that kubectl picked, from its first line. */
async function localPort(child: ChildProcess, name: string): Promise<number> {
  const port = new Promise<number>((resolve) => {
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, found] = /^Forwarding from 127\.0\.0\.1:(\d+) ->/.exec(line) ?? [];
      if (found) resolve(Number(found));
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, READY_MS, `not ready after ${READY_MS / 1_000} s`);
  });
  const first = await Promise.race([port, ended(child).then((problem) => problem ?? "it ended"), late]);
  clearTimeout(timer);
  if (typeof first === "number") return first;
  throw failure("kubectl-failed", `kubectl port-forward to ${name} failed`, { detail: first });
}
