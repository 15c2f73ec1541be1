import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

const NO_BORDERS = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((part) => [part, ""]),
);

/** Columns aligned by spaces, a header line first. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // Not all commands print one, and it takes 7 ms to load.
  const Table = require("cli-table3") as typeof import("cli-table3");
  const layout = new Table({
    head: [...head],
    chars: { ...NO_BORDERS, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  layout.push(...rows.map((row) => [...row]));
  return layout
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
