import { homedir } from "node:os";
import { join } from "node:path";

/** The directory that holds what the real suites build once per machine: `AEC_REAL_CACHE` or its default. */
export function cacheDir(): string {
  return process.env.AEC_REAL_CACHE || join(homedir(), ".cache", "aec-real");
}
