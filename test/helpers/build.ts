import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Builds `dist` once per run, so that a spawned `aec` is never an old one; what tests leave behind goes at its end. */
export function setup(): () => void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
  const directory = mkdtempSync(join(tmpdir(), "aec-tests-"));
  // A database server that refuses to run as root has to reach its own directory below.
  chmodSync(directory, 0o755);
  process.env.TMPDIR = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
