import { createHash } from "node:crypto";

/** Numbers from 0 to 1 that a seed gives again. */
export function seeded(seed: string | number): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash("sha256").update(`${seed}/${drawn}`).digest().readUInt32BE() / 2 ** 32;
  };
}
