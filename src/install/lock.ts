import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../errors.ts";
import { inState } from "./state.ts";

/**
 * Runs `work` while no other `aec` of this user writes to targets. The lock names its process, so that one of a killed
 * `aec` is taken over.
 */
export async function withLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const path = join(directory, "lock");
  inState(directory, () => {
    mkdirSync(directory, { recursive: true });
    if (!take(directory, path) && !takeOver(directory, path)) throw busy(holderOf(path));
  });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function busy(holder: number | undefined) {
  return failure("locked", `another aec${holder === undefined ? "" : ` (process ${holder})`} is writing`, {
    hint: "wait until it is done and run again",
  });
}

/** A link appears whole or not at all, and never in place of another. */
function take(directory: string, path: string): boolean {
  const own = join(directory, `lock-${process.pid}-${randomBytes(4).toString("hex")}`);
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moves a dead holder's lock aside and takes its place; whoever moved a living one by mistake puts it back. */
function takeOver(directory: string, path: string): boolean {
  const holder = holderOf(path);
  if (holder !== undefined && isAlive(holder)) return false;
  const aside = join(directory, `lock-aside-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    renameSync(path, aside);
  } catch (error) {
    // Somebody else was first; the lock is theirs or free again.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return take(directory, path);
    throw error;
  }
  try {
    if (holderOf(aside) === holder) return take(directory, path);
    linkSync(aside, path);
    return false;
  } finally {
    rmSync(aside, { force: true });
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
