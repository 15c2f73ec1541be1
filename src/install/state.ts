import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT, ExpectedError, messageOf } from "../errors.ts";
import type { World } from "../world.ts";
import { type FileChange, writeAtomically } from "./files.ts";

/** What `aec` knows of one file that it wrote. */
export interface FileRecord {
  version: 1;
  path: string;
  /** The text before the first edit; null where the file did not exist; absent where it can no longer be told. */
  original?: string | null;
  /** The text as `aec` left it. */
  written: string | null;
}

/** `$XDG_STATE_HOME/aec/files`: never inside a profiles folder, where any extra file may reach a pod. */
export function stateDirectory(world: World): string {
  return join(world.env.XDG_STATE_HOME || join(world.home, ".local", "state"), "aec", "files");
}

/** What an edit was made for: taking the plugin out again must not take polling settings along. */
export type Purpose = "plugin" | "polling" | "manifests";

/** The record of what `aec` wrote to `path` for a purpose, if there is one that it can read. */
export function readRecord(directory: string, path: string, purpose: Purpose): FileRecord | undefined {
  const file = recordPath(directory, path, purpose);
  if (!existsSync(file)) return undefined;
  try {
    const record = JSON.parse(readFileSync(file, "utf8")) as FileRecord;
    return record.version === 1 ? record : undefined;
  } catch {
    // A record that cannot be read is as good as none: uninstall then cuts lines instead of restoring bytes.
    return undefined;
  }
}

/**
 * Remembers an edit, before it is made. `pristine` says that `change.before` holds nothing of `aec`'s: only then,
 * or where `before` is what `aec` itself wrote last, an original can be restored later.
 */
export function recordChange(
  directory: string,
  change: FileChange,
  pristine: boolean,
  purpose: Purpose,
): void {
  const known = readRecord(directory, change.path, purpose);
  const before = change.before ?? null;
  const original = known && known.written === before ? known.original : pristine ? before : undefined;
  const record: FileRecord = {
    version: 1,
    path: change.path,
    ...(original !== undefined && { original }),
    written: change.after ?? null,
  };
  writeRecord(directory, purpose, record);
}

/** Puts an earlier record of a file back; without one, the file is forgotten. */
export function restoreRecord(
  directory: string,
  path: string,
  purpose: Purpose,
  record: FileRecord | undefined,
): void {
  if (record) writeRecord(directory, purpose, record);
  else forget(directory, path, purpose);
}

function writeRecord(directory: string, purpose: Purpose, record: FileRecord): void {
  inState(directory, () =>
    writeAtomically(
      recordPath(directory, record.path, purpose),
      `${JSON.stringify(record, null, 2)}\n`,
      0o600,
    ),
  );
}

/** Forgets a file that is as it was before `aec`. */
export function forget(directory: string, path: string, purpose: Purpose): void {
  rmSync(recordPath(directory, path, purpose), { force: true });
}

/** A file is known by its real directory, so that a link to the folder finds the same record. */
function recordPath(directory: string, path: string, purpose: Purpose): string {
  const parent = dirname(path);
  const real = existsSync(path)
    ? realpathSync(path)
    : existsSync(parent)
      ? join(realpathSync(parent), path.slice(parent.length))
      : path;
  return join(directory, `${createHash("sha256").update(real).digest("hex")}-${purpose}.json`);
}

/** Runs a write into the state directory; what keeps it from writing is told with the way out. */
export function inState<T>(directory: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    throw new ExpectedError(
      EXIT.credentials,
      "state-unwritable",
      `cannot keep originals in ${directory}: ${messageOf(cause)}`,
      {
        hint: "set XDG_STATE_HOME to a directory that you may write; nothing was changed",
        cause,
      },
    );
  }
}
