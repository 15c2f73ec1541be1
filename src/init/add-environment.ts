import { isDeepStrictEqual } from "node:util";
import { isMap, parse, stringify } from "yaml";
import { type MapPair, topLevelPair, type YamlFile } from "../yaml/parse.ts";
import { columnAt, insertLines, lineEnd, pairEnd } from "../yaml/positions.ts";
import { type Answers, renderConfig, renderEnvironment } from "./render.ts";

interface Config {
  defaultEnvironment?: string;
  environments: Record<string, unknown>;
}

/**
 * The text of an `aec.yml` with one more environment behind the last one; every other byte stays. What was the only
 * environment becomes the default, as it was without being named. Throws a refusal for environments in braces.
 */
export function addEnvironment(file: YamlFile, answers: Answers): string {
  const { text, eol } = file;
  const environments = topLevelPair(file, "environments");
  const at = environments?.key.range?.[0] ?? 0;
  const map = environments?.value;
  const first = (isMap(map) && !map.flow ? map.items[0] : undefined) as MapPair | undefined;
  if (!isMap(map) || !first) {
    throw file.refuse(
      at,
      "environments is not written in lines of its own",
      "write each environment below it, indented; nothing was written",
    );
  }
  const column = columnAt(text, first.key.range?.[0] ?? 0);
  const lines = renderEnvironment(answers).map((line) => " ".repeat(column) + line);
  const end = commentsEnd(text, lineEnd(text, pairEnd(map.items.at(-1) as MapPair)), column);
  const added = insertLines(file, end, lines);

  const before = parse(text) as Config;
  const [only, ...others] = Object.keys(before.environments);
  const names = before.defaultEnvironment === undefined && others.length === 0;
  const indent = columnAt(text, at);
  const after = names
    ? insertLines({ text: added, eol }, at - indent, [
        " ".repeat(indent) + stringify({ defaultEnvironment: only }).trim(),
      ])
    : added;
  const wanted: Config = {
    ...before,
    ...(names && { defaultEnvironment: only }),
    environments: { ...before.environments, ...(parse(renderConfig(answers)) as Config).environments },
  };
  if (!isDeepStrictEqual(parsed(after), wanted)) {
    throw file.refuse(at, "this file cannot be edited safely");
  }
  return after;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Behind the comments that belong to the last environment: those that are indented deeper than its name. */
function commentsEnd(text: string, start: number, column: number): number {
  let end = start;
  let offset = start;
  while (offset < text.length) {
    const next = text.indexOf("\n", offset) + 1 || text.length;
    const line = text.slice(offset, next);
    const indent = /^ *(?=#)/.exec(line)?.[0].length;
    if (indent !== undefined && indent > column) end = next;
    else if (line.trim() !== "") break;
    offset = next;
  }
  return end;
}
