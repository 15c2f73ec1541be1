import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import type { Paint } from "./paint.ts";

/** Values of keys that sound secret, but for references to where the secret is, and for switches. */
const SECRET_LINE =
  /^([ +-][ \t\w."'-]*(?:password|passwd|secret|token|api-?key|private-?key|access-?key|credentials?)[\w."'-]*\s*:[ \t]+)(?!["']?(?:\{cipher\}|encrypted:|\$\{|(?:true|false)[ \t]*$))(\S.*)$/gim;

/** The unified diff of one file, secrets hidden; a file that does not exist on a side is `/dev/null`. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const diff = createTwoFilesPatch(
    before === undefined ? "/dev/null" : path,
    after === undefined ? "/dev/null" : path,
    before ?? "",
    after ?? "",
    undefined,
    undefined,
    { context: 3, headerOptions: FILE_HEADERS_ONLY },
  );
  return diff.replace(SECRET_LINE, "$1***");
}

/** A unified diff with added lines green and removed lines red. */
export function paintDiff(diff: string, paint: Paint): string {
  return diff
    .split("\n")
    .map((line) => {
      if (line.startsWith("+++") || line.startsWith("---")) return paint.bold(line);
      if (line.startsWith("@@")) return paint.cyan(line);
      if (line.startsWith("+")) return paint.green(line);
      if (line.startsWith("-")) return paint.red(line);
      return line;
    })
    .join("\n");
}
