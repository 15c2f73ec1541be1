import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The candidate a typing mistake away from `word`, if there is one. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  // Only mistakes need it, and it takes 3 ms to load.
  const { closest, distance } = require("fastest-levenshtein") as typeof import("fastest-levenshtein");
  const found = closest(word, [...candidates]);
  return distance(word, found) <= Math.max(2, word.length / 3) ? found : undefined;
}
