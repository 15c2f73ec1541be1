import { closest, distance } from "fastest-levenshtein";

/** The candidate a typing mistake away from `word`, if there is one. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const found = closest(word, [...candidates]);
  return distance(word, found) <= Math.max(2, word.length / 3) ? found : undefined;
}
