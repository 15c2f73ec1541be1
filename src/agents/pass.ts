import type { Clock } from "../clock.ts";
import type { AgentExecution } from "../clouddriver/executions.ts";

export interface PassWatcher {
  executions(): Promise<{ byAgent: ReadonlyMap<string, AgentExecution>; serverTime: number | undefined }>;
  clock: Clock;
  signal: AbortSignal;
  timeoutMs: number;
}

const POLL_MS = 1_000;

/**
 * Waits for a successful pass of the agent that started after this call, without causing one; false when none
 * came in time. Starts are told apart by Clouddriver's own clock, from its Date header.
 */
export async function nextPass(agent: string, watcher: PassWatcher): Promise<boolean> {
  const { clock, executions } = watcher;
  const deadline = clock.now() + watcher.timeoutMs;
  const first = await executions();
  const since = first.serverTime ?? clock.now();
  while (clock.now() < deadline) {
    await clock.sleep(POLL_MS, watcher.signal);
    const start = (await executions()).byAgent.get(agent)?.lastExecutionStartMs;
    if (start !== undefined && start >= since) return true;
  }
  return false;
}
