import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { EXIT, ExpectedError, failure, messageOf, usageError } from "../errors.ts";

/** One file of a plan; undefined text means that the file does not exist on that side. */
export interface FileChange {
  path: string;
  before: string | undefined;
  after: string | undefined;
}

export type FileAction = "create" | "edit" | "delete" | "none";

export function actionOf({ before, after }: FileChange): FileAction {
  if (before === after) return "none";
  if (before === undefined) return "create";
  return after === undefined ? "delete" : "edit";
}

/** The text of a UTF-8 file (byte order mark kept), or undefined where there is none. */
export function readText(path: string): string | undefined {
  if (!existsSync(path)) {
    if (isLink(path)) {
      throw usageError("dangling-link", `${path} is a link to a file that does not exist`, {
        hint: "make the file, or remove the link",
      });
    }
    return undefined;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof TypeError) {
      throw usageError("not-utf8", `${path} is not UTF-8 text`, {
        hint: "convert it, nothing was written",
        cause,
      });
    }
    throw fileError("read", path, cause);
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}

/** Throws where the file may not be written, or is no longer what the plan was made from. */
export function assertApplicable(change: FileChange): void {
  const path = realPath(change.path);
  if (existsSync(path) && (statSync(path).mode & 0o200) === 0) {
    throw new ExpectedError(EXIT.credentials, "read-only", `${path} is read-only`, {
      hint: `if it is yours to change: chmod u+w ${path}`,
    });
  }
  if (readText(path) !== change.before) {
    throw failure("file-changed", `${change.path} was changed by somebody else meanwhile`, {
      hint: "run the command again: it plans from the file as it is now",
    });
  }
}

/**
 * Brings one file from `before` to `after`. The file is the old one or the new one at any moment; mode and owner
 * are kept, links are followed.
 */
export function applyChange(change: FileChange): void {
  assertApplicable(change);
  const path = realPath(change.path);
  try {
    if (change.after === undefined) rmSync(path);
    else writeAtomically(path, change.after);
  } catch (cause) {
    throw fileError("write", path, cause);
  }
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

const TEMPORARY = ".aec-";

/** Removes what a killed `aec` left in a directory, and tells whether there was anything. */
export function removeLeftovers(directory: string): boolean {
  if (!existsSync(directory)) return false;
  try {
    const found = readdirSync(directory).filter(
      (name) => name.startsWith(TEMPORARY) && name.endsWith(".tmp"),
    );
    for (const name of found) rmSync(join(directory, name), { force: true });
    return found.length > 0;
  } catch (cause) {
    throw fileError("read", directory, cause);
  }
}

/**
 * Replaces a file by rename. The temporary file lies beside it, under a name that Halyard does not ship: whatever
 * in `profiles/` begins with a service's name ends up in that service's pods.
 */
export function writeAtomically(path: string, text: string, mode = 0o644): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const temporary = join(directory, `${TEMPORARY}${randomBytes(6).toString("hex")}.tmp`);
  const model = existsSync(path) ? statSync(path) : undefined;
  const owner = model ?? statSync(directory);
  const file = openSync(temporary, "wx", model ? model.mode & 0o7777 : mode);
  try {
    // writeFileSync goes on after a short write, and throws where the disk is full.
    writeFileSync(file, text);
    fsyncSync(file);
    closeSync(file);
    chmodSync(temporary, model ? model.mode & 0o7777 : mode);
    if (process.getuid?.() === 0) chownSync(temporary, owner.uid, owner.gid);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const handle = openSync(directory, "r");
  fsyncSync(handle);
  closeSync(handle);
}

function fileError(verb: "read" | "write", path: string, cause: unknown): ExpectedError {
  if (cause instanceof ExpectedError) return cause;
  const code = (cause as NodeJS.ErrnoException).code;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new ExpectedError(
    denied ? EXIT.credentials : EXIT.failed,
    `cannot-${verb}`,
    `cannot ${verb} ${path}: ${messageOf(cause)}`,
    { hint: denied ? `run as the owner of ${basename(dirname(path))}/` : undefined, cause },
  );
}
