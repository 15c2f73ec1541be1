import { execFileSync } from "node:child_process";

/** Builds `dist` once per run, so that a spawned `aec` is never an old one. */
export function setup(): void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
}
