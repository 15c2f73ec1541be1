import type { Clock } from "../clock.ts";
import { applicationOf } from "../clouddriver/application.ts";
import { EXIT, ExpectedError, failure } from "../errors.ts";
import type { Answer } from "../http.ts";

/** Asks Gate. */
export type Gate = <T>(path: string, body?: unknown) => Promise<Answer<T>>;

/** States in which a task stays (orca, ExecutionStatus); only the first says that all was done. */
const FINAL = ["SUCCEEDED", "SKIPPED", "STOPPED", "FAILED_CONTINUE", "TERMINAL", "CANCELED"];

interface Task {
  status?: string;
  execution?: {
    cancellationReason?: string;
    stages?: { context?: Record<string, unknown> }[];
  };
}

export interface TaskWatcher {
  clock: Clock;
  signal: AbortSignal;
  timeoutMs: number;
  /** Called at each change of state. */
  report(text: string): void;
}

const POLL_MS = 1_000;

/**
 * Has Orca refresh one server group by its only stage that does nothing else (ServerGroupForceCacheRefreshStage), and
 * waits for the task. Resolves with whether a full pass has taken the group up: a task that ends at once has found
 * nothing, or done nothing. Throws for a task that failed, gave up, or does not end in time (exit 8).
 */
export async function refreshByTask(
  gate: Gate,
  { account, region, name, provider }: { account: string; region: string; name: string; provider: string },
  { clock, signal, timeoutMs, report }: TaskWatcher,
): Promise<boolean> {
  const { body, status } = await gate<{ ref?: string } | null>("/tasks", {
    application: applicationOf(name),
    description: `aec refresh ${name}`,
    job: [
      {
        type: "serverGroupForceCacheRefresh",
        cloudProvider: provider,
        credentials: account,
        "account.name": account,
        "deploy.server.groups": { [region]: [name] },
      },
    ],
  });
  const id = body?.ref?.split("/").at(-1);
  if (!id) throw failure("orca-refused", `Gate took no task for ${name} (status ${status})`);
  let taken = false;
  let known: string | undefined;
  for (const deadline = clock.now() + timeoutMs; ; ) {
    const { body: task } = await gate<Task>(`/tasks/${id}`);
    const context = task.execution?.stages?.[0]?.context ?? {};
    // Only while it waits: at the end Orca clears what it has asked for.
    taken ||= listed(context["refreshed.server.groups"]) || listed(context["processed.server.groups"]);
    if (task.status !== known) report(`Orca's task ${id}: ${task.status}`);
    known = task.status;
    if (known && FINAL.includes(known)) {
      assertDone(id, task, context);
      return taken;
    }
    if (clock.now() >= deadline) {
      throw new ExpectedError(
        EXIT.timeout,
        "orca-slow",
        `Orca's task ${id} still waits for a full pass of the agent`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}

function assertDone(id: string, { status, execution }: Task, context: Record<string, unknown>): void {
  const errors = context["force.cache.refresh.errors"];
  if (listed(errors))
    throw failure("orca-failed", `Orca's task ${id} could not ask Clouddriver: ${JSON.stringify(errors)}`);
  if (context.shortCircuit === true)
    throw failure("orca-gave-up", `Orca's task ${id} gave up after 12 minutes and calls it a success`);
  if (status === "SUCCEEDED") return;
  const why = execution?.cancellationReason;
  throw failure("orca-failed", `Orca's task ${id} ended as ${status}${why ? `: ${why}` : ""}`, {
    hint: why?.includes("ad-hoc")
      ? "allow serverGroupForceCacheRefresh in executions.allowed-orchestration-executions"
      : undefined,
  });
}

function listed(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
