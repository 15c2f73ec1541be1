import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../errors.ts";
import { inState } from "./state.ts";

/**
 * Runs `work` while no other `aec` of this user writes to targets. The lock names its process, so that one of a killed
 * `aec` is taken over.
 */
export async function withLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const path = join(directory, "lock");
  inState(directory, () => mkdirSync(directory, { recursive: true }));
  if (!take(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && isAlive(holder)) {
      throw failure("locked", `another aec (process ${holder}) is writing`, {
        hint: "wait until it is done and run again",
      });
    }
    rmSync(path, { force: true });
    if (!take(path)) throw failure("locked", "another aec has just begun to write", { hint: "run again" });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function holderOf(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is a living one, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
