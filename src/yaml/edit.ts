import { isAlias, isCollection, isMap, isScalar, type ParsedNode, Scalar, stringify } from "yaml";
import { assertOnlyIntended } from "./check.ts";
import type { ScalarValue, SetEdit, YamlEdits } from "./edits.ts";
import {
  type BlockOrFlowMap,
  keyText,
  type MapPair,
  parseYaml,
  sameKey,
  segments,
  type YamlFile,
} from "./parse.ts";
import { columnAt, lineEnd, pairEnd } from "./positions.ts";

interface Splice {
  start: number;
  end: number;
  text: string;
  /** Indentation of inserted lines. */
  column?: number;
}

/** New keys that go into one place, as a tree. */
type Tree = Map<string, Tree | ScalarValue>;

/** By place: a map that gets more keys, a pair without a value that becomes a map, or (null) an empty document. */
type Additions = Map<BlockOrFlowMap | MapPair | null, Tree>;

/**
 * The file's text with the edits spliced in: every byte outside them stays. Existing spellings (dotted, kebab,
 * flow) are edited where they are. Throws a refusal where a safe edit is not possible; checks its own result
 * by parsing it and comparing all properties but the intended ones.
 */
export function editYaml(file: YamlFile, edits: YamlEdits): string {
  const splices: Splice[] = [];
  const additions: Additions = new Map();
  for (const edit of edits.set ?? []) planSet(file, edit, splices, additions);
  const insertions = [...additions].map(([place, tree]) => insertion(file, place, tree));
  // Where two maps end on one line, the keys of the inner one have to come first.
  splices.push(...insertions.toSorted((a, b) => (b.column ?? 0) - (a.column ?? 0)));
  const removed = (edits.remove ?? []).flatMap((keys) =>
    trails(file, keys).filter(({ rest }) => rest.length === 0),
  );
  splices.push(...removals(file, removed, additions));
  const text = applySplices(file, splices);
  if (text !== file.text) assertOnlyIntended(file, parseYaml(text, file.path, file.isMeant), edits);
  return text;
}

interface Match {
  /** From the root to the pair itself. */
  trail: readonly { map: BlockOrFlowMap; pair: MapPair }[];
  /** Segments of the wanted path that the trail does not cover. */
  rest: readonly string[];
}

/** Every trail that follows `keys`; the longest first. */
function trails(file: YamlFile, keys: readonly string[]): Match[] {
  const found: Match[] = [];
  const follow = (node: unknown, rest: readonly string[], trail: Match["trail"]) => {
    if (!isMap(node)) return;
    const map = node as BlockOrFlowMap;
    for (const pair of map.items) {
      const names = segments([keyText(pair)]);
      if (names.length > rest.length || !names.every((name, i) => sameKey(name, rest[i] ?? ""))) continue;
      const next = [...trail, { map, pair }];
      const left = rest.slice(names.length);
      found.push({ trail: next, rest: left });
      follow(pair.value, left, next);
    }
  };
  follow(file.document.contents, segments(keys), []);
  return found.sort((a, b) => a.rest.length - b.rest.length);
}

function planSet(file: YamlFile, { keys, value }: SetEdit, splices: Splice[], additions: Additions): void {
  const found = trails(file, keys);
  const pair = found[0]?.trail.at(-1)?.pair;
  const rest = found[0]?.rest ?? [];
  const name = keys.join(".");
  if (!pair) {
    const root = file.document.contents;
    add(additions, isMap(root) ? (root as BlockOrFlowMap) : null, keys, value);
    return;
  }
  const node = pair.value;
  if (isAlias(node)) {
    throw file.refuse(
      node.range[0],
      `${name} lies behind the alias *${node.source}; an edit would change its anchor too`,
      `replace the alias by its content, or write ${name} yourself`,
    );
  }
  if (rest.length === 0) {
    // A property may be spelt twice, dotted and nested: Spring takes the later one, so all are set.
    for (const match of found) {
      if (match.rest.length === 0) planReplacement(file, match, { keys, value }, splices);
    }
    return;
  }
  const remaining = remainingKeys(keys, rest.length);
  if (isMap(node) && node.items.length > 0) add(additions, node as BlockOrFlowMap, remaining, value);
  else if (isMap(node) || isEmpty(node))
    add(additions, isMap(node) ? (node as BlockOrFlowMap) : pair, remaining, value);
  else {
    const what = isScalar(node) ? `the value ${JSON.stringify(node.value)}` : "a list";
    throw file.refuse(
      node?.range[0] ?? 0,
      `${name} cannot be set: ${keyText(pair)} holds ${what} where keys are needed`,
    );
  }
}

function planReplacement(
  file: YamlFile,
  { trail }: Match,
  { keys, value }: SetEdit,
  splices: Splice[],
): void {
  const pair = trail.at(-1)?.pair;
  if (!pair) return;
  const node = pair.value;
  if (isCollection(node)) {
    throw file.refuse(node.range[0], `${keys.join(".")} should be a single value, not a collection`);
  }
  if (isScalar(node) && node.value === value) return;
  splices.push(replacement(pair, value));
}

/** The tail of `keys` that covers the last `count` segments; a key that is half there is cut. */
function remainingKeys(keys: readonly string[], count: number): string[] {
  const rest: string[] = [];
  let left = count;
  for (const key of keys.toReversed()) {
    if (left <= 0) break;
    const names = segments([key]);
    rest.unshift(names.slice(-left).join("."));
    left -= names.length;
  }
  return rest;
}

function add(
  additions: Additions,
  place: BlockOrFlowMap | MapPair | null,
  keys: readonly string[],
  value: ScalarValue,
): void {
  let tree: Tree = additions.get(place) ?? new Map();
  additions.set(place, tree);
  for (const key of keys.slice(0, -1)) {
    const known: Tree | ScalarValue | undefined = tree.get(key);
    const next: Tree = known instanceof Map ? known : new Map();
    tree.set(key, next);
    tree = next;
  }
  tree.set(keys.at(-1) ?? "", value);
}

function isEmpty(node: ParsedNode | null | undefined): boolean {
  return !node || (isScalar(node) && node.value === null);
}

/** A scalar in place of the old one, in the old one's quotes. */
function replacement(pair: MapPair, value: ScalarValue): Splice {
  const node = pair.value;
  if (isScalar(node) && node.range && node.range[1] > node.range[0]) {
    return { start: node.range[0], end: node.range[1], text: scalarText(value, node.type) };
  }
  const end = pairEnd(pair);
  return { start: end, end, text: ` ${scalarText(value)}` };
}

function scalarText(value: ScalarValue, style?: string): string {
  if (typeof value === "string" && style === Scalar.QUOTE_SINGLE) return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === "string" && style === Scalar.QUOTE_DOUBLE) return JSON.stringify(value);
  return stringify(value, { version: "1.1", lineWidth: 0 }).trimEnd();
}

function insertion(file: YamlFile, place: BlockOrFlowMap | MapPair | null, tree: Tree): Splice {
  if (place === null) return rootInsertion(file, tree);
  if (isMap(place)) {
    const map = place as BlockOrFlowMap;
    if (map.flow) return flowInsertion(file, map, tree);
    const last = map.items.at(-1);
    const first = map.items[0];
    if (!last || !first) throw new Error("a block map has items");
    const column = columnAt(file.text, first.key?.range?.[0] ?? 0);
    return { ...lineInsertion(file, pairEnd(last), blockLines(tree, column, indentStep(file))), column };
  }
  const pair = place as MapPair;
  const step = indentStep(file);
  const column = columnAt(file.text, pair.key?.range?.[0] ?? 0) + step;
  const node = pair.value;
  const inserted = { ...lineInsertion(file, pairEnd(pair), blockLines(tree, column, step)), column };
  // `key: null` or `key: ~` gives its place to the lines below.
  if (isScalar(node) && node.range && node.range[1] > node.range[0]) {
    const keyEnd = file.text.lastIndexOf(":", node.range[0]) + 1;
    return {
      ...inserted,
      start: keyEnd,
      text: file.text.slice(node.range[1], inserted.start) + inserted.text,
    };
  }
  return inserted;
}

function rootInsertion(file: YamlFile, tree: Tree): Splice {
  if (file.documents.length > 1) {
    throw file.refuse(0, "the document without a profile is empty, in a file of several documents");
  }
  const lines = blockLines(tree, 0, 2);
  return lineInsertion(file, file.text.length, lines, file.text.endsWith("\n") || file.text.trim() === "");
}

/** Whole lines after the line that holds `offset`. */
function lineInsertion(
  file: YamlFile,
  offset: number,
  lines: readonly string[],
  atLineStart = false,
): Splice {
  const { text, eol } = file;
  if (atLineStart || (offset > 0 && text[offset - 1] === "\n")) {
    return { start: offset, end: offset, text: lines.map((line) => line + eol).join("") };
  }
  const next = lineEnd(text, offset);
  if (text[next - 1] === "\n") {
    return { start: next, end: next, text: lines.map((line) => line + eol).join("") };
  }
  return { start: text.length, end: text.length, text: eol + lines.join(eol) };
}

function flowInsertion(file: YamlFile, map: BlockOrFlowMap, tree: Tree): Splice {
  const items = [...tree].map(([key, value]) => flowEntry(key, value)).join(", ");
  const last = map.items.at(-1);
  if (!last) return { start: map.range?.[0] ?? 0, end: map.range?.[1] ?? 0, text: `{${items}}` };
  const end = pairEnd(last);
  const closing = file.text.slice(end, map.range?.[1] ?? end);
  return closing.trimStart().startsWith(",")
    ? { start: end + closing.indexOf(",") + 1, end: end + closing.indexOf(",") + 1, text: ` ${items}` }
    : { start: end, end, text: `, ${items}` };
}

function flowEntry(key: string, value: Tree | ScalarValue): string {
  if (!(value instanceof Map)) return `${scalarText(key)}: ${scalarText(value)}`;
  return `${scalarText(key)}: {${[...value].map(([name, inner]) => flowEntry(name, inner)).join(", ")}}`;
}

function blockLines(tree: Tree, column: number, step: number): string[] {
  const indent = " ".repeat(column);
  return [...tree].flatMap(([key, value]) =>
    value instanceof Map
      ? [`${indent}${scalarText(key)}:`, ...blockLines(value, column + step, step)]
      : [`${indent}${scalarText(key)}: ${scalarText(value)}`],
  );
}

/** Cuts the pairs that the matches end in, and every parent that would be left empty. */
function removals(file: YamlFile, found: readonly Match[], additions: Additions): Splice[] {
  const gone = new Set(found.map(({ trail }) => trail.at(-1)?.pair));
  for (const { trail } of found) {
    for (let depth = trail.length - 1; depth > 0; depth -= 1) {
      const map = trail[depth]?.map;
      const parent = trail[depth - 1]?.pair;
      if (!map || !parent || additions.has(map) || !map.items.every((pair) => gone.has(pair))) break;
      // Somebody's comments in there are worth an empty key.
      if (hasCommentLine(file.text, parent)) break;
      gone.add(parent);
    }
  }
  const cut = new Map<BlockOrFlowMap, Set<MapPair>>();
  for (const { trail } of found) {
    const top = trail.find(({ pair }) => gone.has(pair));
    if (top) cut.set(top.map, new Set(cut.get(top.map)).add(top.pair));
  }
  return [...cut].flatMap(([map, pairs]) =>
    map.flow ? flowRemovals(map, pairs) : [...pairs].map((pair) => lineRemoval(file, pair)),
  );
}

/** Whether the lines between a pair's key and its end hold a line of comment. */
function hasCommentLine(text: string, pair: MapPair): boolean {
  return /^[ \t]*#/m.test(text.slice(text.indexOf("\n", pair.key.range?.[1] ?? 0) + 1, pairEnd(pair)));
}

function lineRemoval(file: YamlFile, pair: MapPair): Splice {
  const keyStart = pair.key?.range?.[0] ?? 0;
  const lineStart = file.text.lastIndexOf("\n", keyStart - 1) + 1;
  if (file.text.slice(lineStart, keyStart).replace("\uFEFF", "").trim() !== "") {
    throw file.refuse(keyStart, `${keyText(pair)} shares its line with something else and cannot be cut out`);
  }
  const end = lineEnd(file.text, pairEnd(pair));
  const bom = lineStart === 0 && file.text.startsWith("\uFEFF") ? 1 : 0;
  return { start: lineStart + bom, end, text: "" };
}

/** One cut for each run of neighbours: up to the next pair that stays, or from the end of the one before. */
function flowRemovals(map: BlockOrFlowMap, gone: ReadonlySet<MapPair>): Splice[] {
  return map.items.flatMap((pair, index): Splice[] => {
    const previous = map.items[index - 1];
    if (!gone.has(pair) || (previous && gone.has(previous))) return [];
    const next = map.items.find((later, at) => at > index && !gone.has(later));
    const start = pair.key.range?.[0] ?? 0;
    if (next) return [{ start, end: next.key.range?.[0] ?? start, text: "" }];
    const last = map.items.at(-1) ?? pair;
    return [{ start: previous ? pairEnd(previous) : start, end: pairEnd(last), text: "" }];
  });
}

/** How deep this file indents a map inside a map; 2 where it has none. */
function indentStep(file: YamlFile): number {
  const root = file.document.contents;
  if (!isMap(root) || root.flow) return 2;
  for (const pair of (root as BlockOrFlowMap).items) {
    const inner = pair.value;
    const first = isMap(inner) && !inner.flow ? (inner as BlockOrFlowMap).items[0] : undefined;
    if (first)
      return Math.max(
        1,
        columnAt(file.text, first.key?.range?.[0] ?? 0) - columnAt(file.text, pair.key?.range?.[0] ?? 0),
      );
  }
  return 2;
}

function applySplices(file: YamlFile, splices: readonly Splice[]): string {
  let result = file.text;
  let limit = Number.POSITIVE_INFINITY;
  const ordered = splices.map((splice, index) => ({ ...splice, index }));
  for (const { start, end, text: inserted } of ordered.toSorted(
    (a, b) => b.start - a.start || b.index - a.index,
  )) {
    if (end > limit) throw file.refuse(start, "the edits of this line would overlap");
    result = result.slice(0, start) + inserted + result.slice(end);
    limit = start;
  }
  return result;
}
